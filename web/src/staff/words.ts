/** Words for what is put together from what a cell told: names of figures, jobs, checks. */
import { isKey, t } from '../app/i18n/index.svelte.ts'

/** A figure in words; what has none yet, as it is named. */
export function figureName(name: string): string {
  const key = `console.figure.${name}`
  if (isKey(key)) return t(key)
  if (name.startsWith('tables.')) return t('console.figure.tables', { slice: name.slice('tables.'.length) })
  return name
}

/** The words of a key that was put together from what a cell told; where there are none, what it told. */
export function said(key: string, told: string): string {
  return isKey(key) ? t(key) : told
}
