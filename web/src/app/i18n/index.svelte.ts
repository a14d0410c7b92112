import { untrack } from 'svelte'
import { ApiError } from '../api/client.ts'
import { fill, pickPlural } from './fill.ts'
import { megabytesIn } from './size.ts'
import en from './en.json'
import errorsEn from './errors.en.json'
import type abroadEn from './abroad.en.json'
import type awayEn from './away.en.json'
import type consoleEn from './console.en.json'
import type contactsEn from './contacts.en.json'
import type familyEn from './family.en.json'
import type foryouEn from './foryou.en.json'
import type glassEn from './glass.en.json'
import type joiningEn from './joining.en.json'
import type keptEn from './kept.en.json'
import type makingEn from './making.en.json'
import type messagesEn from './messages.en.json'
import type noticesEn from './notices.en.json'
import type notifyEn from './notify.en.json'
import type rightsEn from './rights.en.json'
import type staffEn from './staff.en.json'
import type reviewEn from './review.en.json'
import type safetyEn from './safety.en.json'
import type talkEn from './talk.en.json'

export type Key =
  | keyof typeof en
  | keyof typeof abroadEn
  | keyof typeof awayEn
  | keyof typeof consoleEn
  | keyof typeof contactsEn
  | keyof typeof familyEn
  | keyof typeof foryouEn
  | keyof typeof glassEn
  | keyof typeof joiningEn
  | keyof typeof keptEn
  | keyof typeof makingEn
  | keyof typeof messagesEn
  | keyof typeof noticesEn
  | keyof typeof notifyEn
  | keyof typeof rightsEn
  | keyof typeof staffEn
  | keyof typeof reviewEn
  | keyof typeof safetyEn
  | keyof typeof talkEn
export type Locale = 'en' | 'fr'
export interface Told {
  sentence: string
  next_step: string
}
type Params = Record<string, string | number>

export const LOCALES: readonly Locale[] = ['en', 'fr']

/** Words of pages that few open at first: they come with those pages. */
const CHAPTERS = {
  abroad: { en: () => import('./abroad.en.json'), fr: () => import('./abroad.fr.json') },
  away: { en: () => import('./away.en.json'), fr: () => import('./away.fr.json') },
  console: { en: () => import('./console.en.json'), fr: () => import('./console.fr.json') },
  contacts: { en: () => import('./contacts.en.json'), fr: () => import('./contacts.fr.json') },
  family: { en: () => import('./family.en.json'), fr: () => import('./family.fr.json') },
  foryou: { en: () => import('./foryou.en.json'), fr: () => import('./foryou.fr.json') },
  glass: { en: () => import('./glass.en.json'), fr: () => import('./glass.fr.json') },
  joining: { en: () => import('./joining.en.json'), fr: () => import('./joining.fr.json') },
  kept: { en: () => import('./kept.en.json'), fr: () => import('./kept.fr.json') },
  making: { en: () => import('./making.en.json'), fr: () => import('./making.fr.json') },
  notices: { en: () => import('./notices.en.json'), fr: () => import('./notices.fr.json') },
  notify: { en: () => import('./notify.en.json'), fr: () => import('./notify.fr.json') },
  messages: { en: () => import('./messages.en.json'), fr: () => import('./messages.fr.json') },
  rights: { en: () => import('./rights.en.json'), fr: () => import('./rights.fr.json') },
  staff: { en: () => import('./staff.en.json'), fr: () => import('./staff.fr.json') },
  review: { en: () => import('./review.en.json'), fr: () => import('./review.fr.json') },
  safety: { en: () => import('./safety.en.json'), fr: () => import('./safety.fr.json') },
  talk: { en: () => import('./talk.en.json'), fr: () => import('./talk.fr.json') },
} as const satisfies Record<string, Record<Locale, () => Promise<{ default: Record<string, string> }>>>
type Chapter = keyof typeof CHAPTERS
const open = new Set<Chapter>()

const state = $state({
  locale: 'en' as Locale,
  messages: en as Record<string, string>,
  errors: errorsEn as Record<string, Told>,
})

/** The language asked for by the settings, else by the browser. */
export function preferred(setting?: string | null): Locale {
  for (const wanted of [setting, ...navigator.languages]) {
    const base = wanted?.slice(0, 2).toLowerCase()
    if (base === 'en' || base === 'fr') return base
  }
  return 'en'
}

/** French is loaded only by those who read it; the words change in place. */
export async function speak(locale: Locale): Promise<void> {
  const [words, errors] = locale === 'fr' ? await Promise.all([import('./fr.json'), import('./errors.fr.json')]) : [{ default: en }, { default: errorsEn }]
  const more = await wordsOf(locale)
  state.messages = { ...words.default, ...more }
  state.errors = errors.default
  state.locale = locale
  document.documentElement.lang = locale
}

/** The words of all open chapters. */
async function wordsOf(locale: Locale): Promise<Record<string, string>> {
  for (;;) {
    const chapters = [...open]
    const words = await Promise.all(chapters.map((chapter) => CHAPTERS[chapter][locale]()))
    // One may have been opened meanwhile.
    if (chapters.length === open.size) return Object.assign({}, ...words.map((each) => each.default)) as Record<string, string>
  }
}

/** A page with the words of its chapter, so that none of it is shown without them. */
export async function withWords<T>(chapter: Chapter, page: Promise<T>): Promise<T> {
  if (open.has(chapter)) return page
  open.add(chapter)
  // Whoever shows the page does not begin it anew, and lose what one has chosen there, when the
  // language changes: the words do so in place.
  for (let spoken: Locale | null = null; spoken !== untrack(locale); ) {
    spoken = untrack(locale)
    const words = await wordsOf(spoken)
    if (spoken === state.locale) state.messages = { ...state.messages, ...words }
  }
  return page
}

export function locale(): Locale {
  return state.locale
}

/** The words for `key`; with a `count`, the plural form that the language wants (`key.one`, `key.other`). */
export function t(key: Key, params?: Params): string {
  return fill(state.messages[key] ?? (en as Record<string, string>)[key] ?? key, params, state.locale)
}

/** Is there a word under this name, which was put together from what a cell told? */
export function isKey(name: string): name is Key {
  return Object.hasOwn(state.messages, name)
}

type PluralBase<K> = K extends `${infer Base}.other` ? Base : never

/** The words for so many of something, in the form that the language has for that count: French says "0 clip". */
export function plural(base: PluralBase<Key>, count: number, params?: Params): string {
  const message = pickPlural(state.messages, base, state.locale, count)
  return fill(message, { count: compact(count), ...params }, state.locale)
}

/** 1234 as "1.2K". */
export function compact(value: number): string {
  return new Intl.NumberFormat(state.locale, { notation: 'compact', maximumFractionDigits: 1 }).format(value)
}

/** 1234 as "1,234". */
export function number(value: number): string {
  return new Intl.NumberFormat(state.locale).format(value)
}

/** A day and a time of day, in UTC where the clock of the moment is not known. */
export function moment(ms: number, zone?: 'UTC'): string {
  return new Intl.DateTimeFormat(state.locale, { dateStyle: 'medium', timeStyle: 'short', timeZone: zone }).format(ms)
}

/** ISO 3166's code for a place that nobody has told. */
export const NOWHERE = 'ZZ'

/** "Singapore" for SG, in the person's language; what is no country's code stays as it is. */
export function country(code: string): string {
  try {
    return new Intl.DisplayNames([state.locale], { type: 'region' }).of(code) ?? code
  } catch {
    return code
  }
}

/** "March 2026" for the month "2026-03". */
export function month(name: string): string {
  return new Intl.DateTimeFormat(state.locale, { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(new Date(`${name}-01T00:00:00Z`))
}

/** 0.3 as "30%", and in French with its space. */
export function percent(share: number): string {
  return new Intl.NumberFormat(state.locale, { style: 'percent' }).format(share)
}

const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
]

/** "3 hours ago", in the person's language. */
export function ago(time: string, now = Date.now()): string {
  const seconds = (new Date(time).getTime() - now) / 1000
  const form = new Intl.RelativeTimeFormat(state.locale, { numeric: 'auto', style: 'short' })
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) return form.format(Math.round(seconds / size), unit)
  }
  return form.format(0, 'minute').replace(/.*/, t('time.now'))
}

/** "3 hrs": for how long already, where there is room for little. */
export function since(time: string, now = Date.now()): string {
  const seconds = (now - new Date(time).getTime()) / 1000
  const step = STEPS.find(([, size]) => seconds >= size)
  if (!step) return t('time.now')
  const form = new Intl.NumberFormat(state.locale, { style: 'unit', unit: step[0], unitDisplay: 'short' })
  return form.format(Math.round(seconds / step[1]))
}

/** A date; one without a time of day ("2026-11-24") is that day wherever one is. */
export function day(time: string): string {
  const [year, month, date] = time.split('-').map(Number)
  const when = time.length === 10 ? new Date(year ?? 0, (month ?? 1) - 1, date) : new Date(time)
  return new Intl.DateTimeFormat(state.locale, { dateStyle: 'medium' }).format(when)
}

export const megabytes = (bytes: number, to?: 'down' | 'up'): string => megabytesIn(state.locale, bytes, to)

/** What to tell a person about an error: our words for its code, else the cell's own. */
export function tell(problem: unknown): Told {
  if (problem instanceof ApiError) {
    const told = tellCode(problem.code, problem.sentence, problem.nextStep)
    if (!problem.pace) return told
    const { most, perS, until } = problem.pace
    const words = { most: number(most), per: t(perS > 3600 ? 'pace.day' : 'pace.hour'), until: moment(Date.parse(until)) }
    return { sentence: fill(told.sentence, words), next_step: fill(told.next_step, words) }
  }
  // Nobody foresaw it: whoever looks for the reason finds it in the browser's console.
  console.error(problem)
  return tellCode('unexpected', '', '')
}

export function tellCode(code: string, sentence: string, nextStep: string): Told {
  const known = state.errors[code]
  if (known) return known
  if (sentence) return { sentence, next_step: nextStep }
  return state.errors['unexpected'] ?? errorsEn.unexpected
}
