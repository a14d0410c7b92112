/** The part of a clip that is kept, and where its cover lies. Milliseconds throughout. */

export interface Trim {
  startMs: number
  endMs: number
}

/** Shorter than this is a blink, not a clip. */
export const SHORTEST_MS = 1000

export function whole(durationMs: number): Trim {
  return { startMs: 0, endMs: Math.round(durationMs) }
}

function between(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), Math.max(low, high))
}

/** Moves the first handle, never past the second less the shortest clip. */
export function moveStart(trim: Trim, startMs: number): Trim {
  return { ...trim, startMs: Math.round(between(startMs, 0, trim.endMs - SHORTEST_MS)) }
}

/** Moves the second handle, inside the file. */
export function moveEnd(trim: Trim, endMs: number, durationMs: number): Trim {
  const low = Math.min(trim.startMs + SHORTEST_MS, durationMs)
  return { ...trim, endMs: Math.round(between(endMs, low, durationMs)) }
}

export function keptMs(trim: Trim): number {
  return trim.endMs - trim.startMs
}

export function isWhole(trim: Trim, durationMs: number): boolean {
  return trim.startMs <= 0 && trim.endMs >= Math.round(durationMs)
}

/** A cover outside the kept part is moved to its nearest edge. */
export function coverInside(coverMs: number, trim: Trim): number {
  return Math.round(between(coverMs, trim.startMs, trim.endMs))
}

/** 83456 as "1:23.4", for where tenths matter. */
export function fineClock(ms: number): string {
  const tenths = Math.max(0, Math.floor(ms / 100))
  return `${clock(tenths * 100)}.${tenths % 10}`
}

/** 83456 as "1:23". */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
