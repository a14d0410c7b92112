/** Words that are made and not looked up. */
import { country, locale, t, type Key } from '../app/i18n/index.svelte.ts'
import type { Statement } from './shapes.ts'

/** Names of countries by their codes, in the reader's language. */
export function countries(codes: readonly string[]): string {
  if (codes.includes('*')) return t('safety.everywhere')
  return new Intl.ListFormat(locale(), { type: 'conjunction' }).format(codes.map(country))
}

/** What was decided; not every act goes with everything. */
export function decided(one: Pick<Statement, 'act' | 'what'>): string {
  return t(`safety.act.${one.act}.${one.what}` as Key)
}
