/** One's own measure of watching: a daily limit, breaks, quiet hours. Counted on the device, told to nobody. */
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
