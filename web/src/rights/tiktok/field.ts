/** Reads single fields of TikTok's archive, whose spelling changes from section to section and from year to year. */
import { isMap, type Json, type JsonMap } from './json.ts'

/** Ways in which the archive says "nothing", in the languages whose exports are known. */
const NOTHING = new Set(['', 'n/a', 'n.v.t.', 'none', 'null', 'undefined'])
const MOST_NESTED = 6

/** A name without what varies: `Date` and `date`, `Following` and `following`, `see your list::`. */
export function plain(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')
}

/** A text that can be sent and shown: half characters become U+FFFD, control and direction signs go. */
export function clean(text: string): string {
  return text
    .replace(/\p{Cs}/gu, '\ufffd')
    .replace(/(?![\n\u200d])[\p{Cc}\p{Cf}]/gu, '')
    .trim()
}

/** The text of a scalar, or null for each of the ways to be empty. */
export function textOf(value: Json | undefined): string | null {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value !== 'string') return null
  const text = clean(value)
  return NOTHING.has(text.toLowerCase()) ? null : text
}

/** Is this one of the ways to be empty? */
export function isEmpty(value: Json | undefined): boolean {
  if (value === undefined || value === null) return true
  if (Array.isArray(value)) return value.every(isEmpty)
  if (typeof value === 'object') return Object.values(value).every(isEmpty)
  return typeof value === 'string' && textOf(value) === null
}

/** The first field with one of these names, however they are written. */
export function field(row: JsonMap, ...names: string[]): Json | undefined {
  for (const name of names) {
    for (const [key, value] of Object.entries(row)) if (plain(key) === name) return value
  }
  return undefined
}

/**
 * The rows of a section: the maps in its lists, at any depth. A map whose keys are all numbers (of 19 digits for videos and
 * rooms) is a list by another name.
 */
export function rowsOf(value: Json | undefined, depth = 0): JsonMap[] {
  if (depth > MOST_NESTED) return []
  if (Array.isArray(value)) return value.flatMap((item) => (isMap(item) ? [item] : rowsOf(item, depth + 1)))
  if (!isMap(value)) return []
  const children = Object.values(value)
  if (isNumbered(value)) return children.filter((child) => isMap(child))
  return children.flatMap((child) => (Array.isArray(child) || isMap(child) ? rowsOf(child, depth + 1) : []))
}

export function isNumbered(map: JsonMap): boolean {
  const keys = Object.keys(map)
  return keys.length > 0 && keys.every((key) => /^-?\d{1,20}$/.test(key))
}

/** Says on which app something was, not what. */
const ABOUT = new Set(['app', 'isfastlane'])

/** How many fields say something, at any depth. */
export function fieldsOf(value: Json | undefined, depth = 0): number {
  if (isEmpty(value)) return 0
  if (typeof value !== 'object' || value === null || depth > MOST_NESTED) return 1
  const children = Array.isArray(value) ? value : Object.entries(value).flatMap(([key, child]) => (ABOUT.has(plain(key)) ? [] : [child]))
  return children.reduce<number>((sum, child) => sum + fieldsOf(child, depth + 1), 0)
}

/** How many things a section holds: the items of its lists; without lists, its fields that say something. */
export function countOf(value: Json | undefined, depth = 0): number {
  if (isEmpty(value)) return 0
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + (Array.isArray(item) ? countOf(item, depth + 1) : Number(!isEmpty(item))), 0)
  if (!isMap(value)) return 1
  const children = Object.entries(value).flatMap(([key, child]) => (ABOUT.has(plain(key)) || isEmpty(child) ? [] : [child]))
  if (isNumbered(value)) return children.length
  const nested = children.filter((child) => Array.isArray(child) || isMap(child))
  if (nested.length === 0 || depth > MOST_NESTED) return children.length
  return nested.reduce<number>((sum, child) => sum + countOf(child, depth + 1), 0)
}

export interface When {
  ms: number
  /** False where the archive names no zone; then UTC is assumed. */
  isUtc: boolean
}

const DATE = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?\s*(UTC|Z)?$/i

/** A date as the archive writes it: with or without a time of day, with or without its zone; or seconds since 1970. */
export function when(value: Json | undefined): When | null {
  if (typeof value === 'number' && value > 1e9 && value < 1e13) return { ms: value < 1e11 ? value * 1000 : value, isUtc: true }
  const [, year, month, date, hour, minute, second, zone] = DATE.exec(textOf(value) ?? '') ?? []
  if (!year) return null
  const parts = [year, Number(month) - 1, date, hour ?? 0, minute ?? 0, second ?? 0].map(Number) as [number, number, number, number, number, number]
  const ms = Date.UTC(...parts)
  // The 31st of February and the 25th hour would move on to another day.
  const written = [year, month, date].join('-')
  return new Date(ms).toISOString().startsWith(written) && parts[4] < 60 && parts[5] < 61 ? { ms, isUtc: zone !== undefined } : null
}

const HOST = /^([a-z0-9-]+\.)*(tiktok|tiktokv)\.com$/

/** A link to TikTok itself without its query, which may hold tokens; null for any other. It is text: nobody follows it. */
export function tiktokLink(value: Json | undefined): string | null {
  const text = textOf(value)
  if (text === null || text.length > 2048 || !URL.canParse(text)) return null
  const url = new URL(text)
  if (!['https:', 'http:'].includes(url.protocol) || !HOST.test(url.hostname) || url.port || url.username || url.password) return null
  const link = `https://${url.hostname}${url.pathname}`
  return link.length <= 300 ? link : null
}

/** The number of a video in a link or a file name (15 to 20 digits), if there is exactly one. */
export function videoNumber(text: string): string | null {
  const found = new Set(text.match(/(?<!\d)\d{15,20}(?!\d)/g))
  return found.size === 1 ? ([...found][0] ?? null) : null
}

/** When a video with this number was begun: the upper 32 bits are seconds since 1970. */
export function numberTime(number: string): number | null {
  const ms = Number(BigInt(number) >> 32n) * 1000
  return ms > Date.UTC(2014) && ms < Date.UTC(2100) ? ms : null
}
