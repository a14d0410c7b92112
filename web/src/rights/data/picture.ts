/** Entries of the journal over time, by who acted: the numbers behind the picture. Days are in UTC, as the log counts them. */
import type { EntryClass, JournalSummary } from '../../app/api/shapes.ts'

export const CLASSES: readonly EntryClass[] = ['self', 'automated', 'staff', 'legal', 'export']

export interface Bar {
  /** "2026-11" or "2026-11-24". */
  name: string
  counts: Record<EntryClass, number>
  total: number
}
export interface Picture {
  span: 'days' | 'months'
  bars: Bar[]
  most: number
  /** What is shown of each class in all bars together. */
  totals: Record<EntryClass, number>
}

const DAY_MS = 86_400_000
const DAYS = 30
const MONTHS = 12

function none(): Record<EntryClass, number> {
  return { self: 0, automated: 0, staff: 0, legal: 0, export: 0 }
}

/** The last 30 days while nothing is older, else the last twelve months. */
export function pictureOf(summary: JournalSummary, now: number): Picture {
  const firstDay = new Date(now - (DAYS - 1) * DAY_MS).toISOString().slice(0, 10)
  const span = summary.days.every((each) => each.day >= firstDay) ? 'days' : 'months'
  const bars = (span === 'days' ? lastDays(now) : lastMonths(now)).map((name): Bar => ({ name, counts: none(), total: 0 }))
  const byName = new Map(bars.map((bar) => [bar.name, bar]))
  const totals = none()
  for (const { day, counts } of summary.days) {
    const bar = byName.get(span === 'days' ? day : day.slice(0, 7))
    if (!bar) continue
    for (const name of CLASSES) {
      const count = counts[name] ?? 0
      bar.counts[name] += count
      bar.total += count
      totals[name] += count
    }
  }
  return { span, bars, most: Math.max(0, ...bars.map((bar) => bar.total)), totals }
}

function lastDays(now: number): string[] {
  return Array.from({ length: DAYS }, (_, at) => new Date(now - (DAYS - 1 - at) * DAY_MS).toISOString().slice(0, 10))
}

function lastMonths(now: number): string[] {
  const today = new Date(now)
  return Array.from({ length: MONTHS }, (_, at) =>
    new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() - (MONTHS - 1 - at), 1)).toISOString().slice(0, 7),
  )
}
