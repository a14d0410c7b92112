/** Minutes a day as a paired young person's device counts them. Pure, so that it can be tested without a browser. */
export const DAYS = 14

/** Milliseconds of clips by day, "2026-11-26". */
export type Days = Record<string, number>

export function readDays(text: string | null): Days {
  try {
    const told: unknown = JSON.parse(text ?? '{}')
    if (typeof told !== 'object' || told === null || Array.isArray(told)) return {}
    return Object.fromEntries(Object.entries(told).filter(([day, ms]) => /^\d{4}-\d{2}-\d{2}$/.test(day) && typeof ms === 'number' && ms >= 0))
  } catch {
    return {}
  }
}

/** With `ms` more on a day; only the newest fourteen days stay. */
export function added(days: Days, day: string, ms: number): Days {
  const all = Object.entries({ ...days, [day]: (days[day] ?? 0) + ms })
  return Object.fromEntries(all.sort(([a], [b]) => (a < b ? 1 : -1)).slice(0, DAYS))
}

/** What is reported: whole minutes, and nothing finer. */
export function reported(days: Days): { day: string; minutes: number }[] {
  return Object.entries(days)
    .map(([day, ms]) => ({ day, minutes: Math.min(1440, Math.floor(ms / 60_000)) }))
    .sort((a, b) => (a.day < b.day ? 1 : -1))
}

/** Fourteen days up to `today`, the oldest first; null where nothing was reported. */
export function filled(days: readonly { day: string; minutes: number }[], today: string): { day: string; minutes: number | null }[] {
  const known = new Map(days.map((one) => [one.day, one.minutes]))
  const last = Date.parse(`${today}T12:00:00Z`)
  return Array.from({ length: DAYS }, (_, at) => {
    const day = new Date(last - (DAYS - 1 - at) * 86_400_000).toISOString().slice(0, 10)
    return { day, minutes: known.get(day) ?? null }
  })
}

/** The code behind the # of a scanned address. */
export function codeInAddress(hash: string): string {
  const code = hash.replace(/^#/, '').trim().toUpperCase()
  return /^[2-9A-HJ-NP-Z]{4}-?[2-9A-HJ-NP-Z]{4}$/.test(code) ? code : ''
}
