/**
 * One's own measure of watching: a daily limit, breaks, quiet hours. Counted on the device; told to nobody, unless a family is paired
 * (`people/family`), which sees minutes a day.
 */
export const LIMITS_MIN = [0, 30, 45, 60, 90] as const
export const BREAKS_MIN = [0, 10, 20, 30, 60] as const
/** Away for this long is a break. */
export const REST_MS = 5 * 60_000

export interface Wishes {
  /** Minutes a day; 0 for no limit. */
  limitMin: number
  /** Minutes in a row after which a break is suggested; 0 for never. */
  breakMin: number
  /** Null while the person has not chosen: then minors have quiet hours, others do not. */
  quiet: boolean | null
  /** Times of day, "22:00". */
  quietFrom: string
  quietTo: string
}

export const WISHES: Wishes = { limitMin: 0, breakMin: 0, quiet: null, quietFrom: '22:00', quietTo: '07:00' }

export interface Spent {
  /** The day that `ms` is of, "2026-11-26" where one is. */
  day: string
  ms: number
  /** Watched in a row, and until when. */
  rowMs: number
  until: number
  /** The day and the night of which the person was told already. */
  toldDay: string
  toldNight: string
}

export const UNSPENT: Spent = { day: '', ms: 0, rowMs: 0, until: 0, toldDay: '', toldNight: '' }

export type Halt = 'limit' | 'quiet' | 'break'

/** What a family has set for a young person: there is no tap that goes on past it. */
export interface Held {
  daily_min: number | null
  sleep: readonly { begins: string; ends: string }[]
  keeps_private: boolean
  for_you_off: boolean
}
export type Stop = 'family-limit' | 'family-sleep'

/** Why no clip plays now, by what the family has set. It adds to one's own wishes, and takes nothing from them. */
export function stop(held: Held | null, before: Spent, now: number): Stop | null {
  if (!held) return null
  if (held.sleep.some((one) => isBetween(now, one.begins, one.ends))) return 'family-sleep'
  return held.daily_min !== null && today(before, now).ms >= held.daily_min * 60_000 ? 'family-limit' : null
}

/** When the hours of sleep that it is in are over, for the words. */
export function sleepsUntil(held: Held | null, now: number): string {
  return held?.sleep.find((one) => isBetween(now, one.begins, one.ends))?.ends ?? ''
}

/** What was kept of it on this device, and whose it is. */
export function readHeld(text: string | null): { person: string; held: Held } | null {
  const kept = object(text)
  const held = object(JSON.stringify(kept['held'] ?? null))
  if (typeof kept['person'] !== 'string' || Object.keys(held).length === 0) return null
  const isTime = (value: unknown): value is string => typeof value === 'string' && /^([01]\d|2[0-3]):[0-5]\d$/.test(value)
  const sleep = (Array.isArray(held['sleep']) ? (held['sleep'] as unknown[]) : []).flatMap((one) => {
    const { begins, ends } = object(JSON.stringify(one ?? null))
    return isTime(begins) && isTime(ends) ? [{ begins, ends }] : []
  })
  const daily = held['daily_min']
  return {
    person: kept['person'],
    held: { daily_min: typeof daily === 'number' && daily > 0 ? daily : null, sleep, keeps_private: held['keeps_private'] === true, for_you_off: held['for_you_off'] === true },
  }
}

/** The day it is where the person is. */
export function dayOf(now: number): string {
  const at = new Date(now)
  return `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, '0')}-${String(at.getDate()).padStart(2, '0')}`
}

/** What is spent of today, at `now`. */
export function today(spent: Spent, now: number): Spent {
  const day = dayOf(now)
  return {
    ...spent,
    ...(spent.day === day ? {} : { day, ms: 0 }),
    ...(now - spent.until >= REST_MS || now < spent.until - REST_MS ? { rowMs: 0 } : {}),
  }
}

/** After `ms` more of watching, which end now. */
export function watched(spent: Spent, ms: number, now: number): Spent {
  const before = today(spent, now)
  return { ...before, ms: before.ms + ms, rowMs: before.rowMs + ms, until: now }
}

function minuteOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number)
  return hours * 60 + minutes
}

export function hasQuietHours(wishes: Wishes, isMinor: boolean): boolean {
  return wishes.quiet ?? isMinor
}

/** Is this time of day between the two, which may lie around midnight? */
export function isBetween(now: number, from: string, to: string): boolean {
  const at = new Date(now).getHours() * 60 + new Date(now).getMinutes()
  const [start, end] = [minuteOf(from), minuteOf(to)]
  return start <= end ? at >= start && at < end : at >= start || at < end
}

/** The night that a moment of the quiet hours belongs to: that of the day on which it began. */
function nightOf(now: number, from: string): string {
  const at = new Date(now).getHours() * 60 + new Date(now).getMinutes()
  return dayOf(at >= minuteOf(from) ? now : now - 86_400_000)
}

function isOver(wishes: Wishes, spent: Spent): boolean {
  return wishes.limitMin > 0 && spent.ms >= wishes.limitMin * 60_000
}

/** Past the limit, or in quiet hours, no clip starts by itself. */
export function isByHand(wishes: Wishes, spent: Spent, now: number, isMinor: boolean): boolean {
  const quiet = hasQuietHours(wishes, isMinor) && isBetween(now, wishes.quietFrom, wishes.quietTo)
  return quiet || isOver(wishes, today(spent, now))
}

/** Why to stop now, if the person was not told yet. */
export function halt(wishes: Wishes, before: Spent, now: number, isMinor: boolean): Halt | null {
  const spent = today(before, now)
  if (isOver(wishes, spent) && spent.toldDay !== spent.day) return 'limit'
  const quiet = hasQuietHours(wishes, isMinor) && isBetween(now, wishes.quietFrom, wishes.quietTo)
  if (quiet && spent.toldNight !== nightOf(now, wishes.quietFrom)) return 'quiet'
  if (wishes.breakMin > 0 && spent.rowMs >= wishes.breakMin * 60_000) return 'break'
  return null
}

/** The person has read it and goes on. */
export function told(spent: Spent, why: Halt, wishes: Wishes, now: number): Spent {
  const is = today(spent, now)
  if (why === 'limit') return { ...is, toldDay: is.day, rowMs: 0 }
  if (why === 'quiet') return { ...is, toldNight: nightOf(now, wishes.quietFrom), rowMs: 0 }
  return { ...is, rowMs: 0 }
}

function object(text: string | null): Record<string, unknown> {
  try {
    const told: unknown = JSON.parse(text ?? '{}')
    return typeof told === 'object' && told !== null ? (told as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

export function readWishes(text: string | null): Wishes {
  const kept = object(text)
  const among = (value: unknown, of: readonly number[]) => (of.includes(value as number) ? (value as number) : 0)
  const time = (value: unknown, or: string) => (typeof value === 'string' && /^([01]\d|2[0-3]):[0-5]\d$/.test(value) ? value : or)
  return {
    limitMin: among(kept['limitMin'], LIMITS_MIN),
    breakMin: among(kept['breakMin'], BREAKS_MIN),
    quiet: typeof kept['quiet'] === 'boolean' ? kept['quiet'] : null,
    quietFrom: time(kept['quietFrom'], WISHES.quietFrom),
    quietTo: time(kept['quietTo'], WISHES.quietTo),
  }
}

export function readSpent(text: string | null): Spent {
  const kept = object(text)
  const count = (name: string) => (Number.isFinite(kept[name]) ? Math.max(0, kept[name] as number) : 0)
  const words = (name: string) => (typeof kept[name] === 'string' ? (kept[name] as string) : '')
  return { day: words('day'), ms: count('ms'), rowMs: count('rowMs'), until: count('until'), toldDay: words('toldDay'), toldNight: words('toldNight') }
}
