/** How a notice says whom it is about, and where it holds. */
import { country, locale, t } from '../app/i18n/index.svelte.ts'
import type { Notice } from './shapes.ts'

export function about(notice: Notice): string {
  const name = notice.subject.slice(notice.subject.indexOf('/') + 1)
  if (!name) return t(`notices.of.unnamed.${notice.what}`)
  return notice.what === 'clip' ? t('notices.of.clip') : t(`notices.of.${notice.what}`, { name })
}

/** The page of what it is about; null where there is none, or it is not named. */
export function pageOf(notice: Notice): string | null {
  const name = notice.subject.slice(notice.subject.indexOf('/') + 1)
  if (!name || notice.what === 'cell') return null
  return notice.what === 'clip' ? `/c/${name}` : `/@${name}`
}

export function places(notice: Notice): string {
  if (notice.countries.includes('*')) return t('notices.everywhere')
  return new Intl.ListFormat(locale(), { type: 'conjunction' }).format(notice.countries.map(country))
}
