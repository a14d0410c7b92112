/**
 * What to fetch next: of which clip, and how much. A pure function of what is here, what the line
 * carries and how likely the person swipes on.
 *
 * The clip on screen comes first, but just in time: what is fetched of it far ahead is thrown away
 * at every early swipe. The first second of the next clips is hardly ever thrown away, since they
 * are watched in their order; so that is fetched while the clip on screen has enough. Compare
 * Dashlet (NSDI 2023), which weighs the same two by the distribution of swipes, and PDAS (ACM MM
 * 2022), which bounds how much of a clip is kept by how likely it is left.
 */

/** A clip that holds a player. Segments are numbered from 0; their sizes are those of the quality that is to be fetched. */
export interface Film {
  /** Places from the clip on screen: 0 is that, 1 the next, −1 the one before. */
  offset: number
  /** Bytes of each segment; what the first one needs before it is counted with it. */
  sizes: readonly number[]
  durationsMs: readonly number[]
  /** Which segments are here or on their way. */
  has: readonly boolean[]
  /** Where it plays or will begin to. */
  atMs: number
  /** Its browser wants bytes for later; where not, it gets only what it needs at once, and only on screen. */
  streams?: boolean
  /** It stands still with what is here: after a stop a browser may want more ahead than we would give it. */
  waits?: boolean
}

export interface Line {
  /** What the line carries, in bits per second. */
  bps: number
  /** From a request to its first byte. */
  waitMs: number
  /** How much it varies: 0 not at all, 1 between nothing and all. */
  varies: number
  /** The person, or their system, asked to save data. */
  saveData: boolean
}

/** How likely it is that the clip on screen is left within so many milliseconds from now. */
export type LeaveChance = (withinMs: number) => number

export interface Fetch {
  offset: number
  segment: number
  /** It is waited for, or will be soon: it may go beside another one that is under way. */
  urgent: boolean
}

/** Times are guesses: that much longer may a fetch take before the picture stops. */
const PATIENCE = 1.5
const MARGIN_MS = 120
/** Beyond this share of their length, segments come hardly faster than they play. */
const TIGHT = 0.75
/** On a tight line this much is kept ahead, as far as the person is likely to stay. */
const TIGHT_AHEAD_MS = 4000
/** On a line that varies at all, up to this much is kept ahead of whoever stays. */
const MOST_AHEAD_MS = 8000
/** Below this it counts as steady. */
const STEADY = 0.2
/** At full variation a segment is kept ready for whom so likely is still there to see it. */
const LEAST_LIKELY = 0.25
/** Who stays with this chance is worth keeping something for on any line that is not steady. */
const NEARLY_ALL = 0.75
/** So many requests are under way at most. */
const AT_ONCE = 2
/** A starter of a clip further on is fetched if it is that likely to be seen within the horizon. */
const WORTH = 0.02
const HORIZON_MS = 10_000

/** How long it takes until so many bytes are here, in milliseconds. */
export function fetchMs(bytes: number, line: Line): number {
  return line.waitMs + (bytes * 8000) / Math.max(1, line.bps)
}

/** The segment that plays at a time. */
export function segmentAt(durationsMs: readonly number[], timeMs: number): number {
  let end = 0
  for (let at = 0; at < durationsMs.length; at += 1) {
    end += durationsMs[at]!
    if (timeMs < end) return at
  }
  return Math.max(0, durationsMs.length - 1)
}

/**
 * What is here from the place where a film plays, without a gap: how long that is, and the first segment that is
 * missing (none: −1). After its end it begins again: what is missing of its beginning comes after that.
 */
export function aheadOf(film: Film): { aheadMs: number; missing: number } {
  const first = segmentAt(film.durationsMs, film.atMs)
  const count = film.sizes.length
  let end = film.durationsMs.slice(0, first).reduce((sum, one) => sum + one, 0)
  for (let step = 0; step < count; step += 1) {
    const at = (first + step) % count
    if (!film.has[at]) return { aheadMs: Math.max(0, end - film.atMs), missing: at }
    end += film.durationsMs[at]!
  }
  return { aheadMs: Math.max(0, end - film.atMs), missing: -1 }
}

/**
 * How many segments from its place a film needs so that it plays on while the others are fetched: one
 * where each comes faster than the one before it plays, more on a slower line.
 */
export function starterSize(film: Film, line: Line): number {
  const first = segmentAt(film.durationsMs, film.atMs)
  const count = film.sizes.length - first
  for (let size = 1; size < count; size += 1) {
    let clock = 0
    let here = film.durationsMs.slice(first, first + size).reduce((sum, one) => sum + one, 0)
    let fits = true
    for (let at = first + size; at < film.sizes.length && fits; at += 1) {
      clock += fetchMs(film.sizes[at]!, line) * PATIENCE
      fits = clock <= here
      here += film.durationsMs[at]!
    }
    if (fits) return size
    if (size === 3) return size
  }
  return Math.max(1, Math.min(count, 3))
}

/** What to fetch now, or how long nothing has to be. */
export function nextFetch(films: readonly Film[], line: Line, leave: LeaveChance): Fetch | { inMs: number } {
  const by = new Map(films.map((film) => [film.offset, film]))
  const current = by.get(0)
  const next = starter(by, 1, 1)
  let quietMs = Infinity
  let onward: Fetch | null = null

  if (current) {
    const { aheadMs, missing } = aheadOf(current)
    if (missing >= 0) {
      const take = fetchMs(current.sizes[missing]!, line)
      const spare = aheadMs - take * PATIENCE - MARGIN_MS
      const fetch = { offset: 0, segment: missing, urgent: true }
      const nextMs = next ? fetchMs(by.get(1)!.sizes[next.segment]!, line) : 0
      if (aheadMs === 0 || current.waits || (spare <= nextMs && !(next && isMissedMore(nextMs, take, aheadMs, leave)))) return fetch
      const load = take / Math.max(1, current.durationsMs[missing]!)
      const wanted = load > TIGHT ? TIGHT_AHEAD_MS * (1 - leave(TIGHT_AHEAD_MS)) : 0
      if (current.streams !== false && (aheadMs < wanted || isKept(aheadMs, line, leave))) onward = { ...fetch, urgent: false }
      quietMs = Math.max(1, spare)
    }
  }
  if (next) return next
  const roomMs = (film: Fetch | null) => (film ? fetchMs(by.get(film.offset)!.sizes[film.segment]!, line) : 0) * 0.5
  const far = line.saveData ? null : starter(by, 2, 1)
  if (far && quietMs > roomMs(far) && leave(HORIZON_MS) ** 2 >= WORTH) return far
  if (onward) return onward
  // More of the next clip only now: that something of the one after it is here counts for more.
  const more = by.has(1) ? starter(by, 1, starterSize(by.get(1)!, line)) : null
  // What does not end before the clip on screen needs its next segment comes after that.
  if (more && quietMs < fetchMs(by.get(1)!.sizes[more.segment]!, line)) {
    return current!.streams === false ? { inMs: quietMs } : { offset: 0, segment: aheadOf(current!).missing, urgent: false }
  }
  if (more) return more
  const back = line.saveData ? null : starter(by, -1, 1)
  if (back && quietMs > roomMs(far)) return back
  return { inMs: quietMs }
}

/**
 * Whether the beginning of the next clip, if it came only after the segment that the clip on screen needs
 * soon, would be waited for longer than that segment if it came second. Both by their chances, in milliseconds.
 */
function isMissedMore(nextMs: number, currentMs: number, aheadMs: number, leave: LeaveChance): boolean {
  const waited = leave(currentMs + nextMs) * nextMs
  const stopped = (1 - leave(aheadMs)) * Math.max(0, nextMs + currentMs - aheadMs)
  return waited > stopped
}

/** A fetch that has begun: of which clip, and how many bytes are still to come. */
export interface UnderWay {
  /** Null: of a clip that holds no player any more. */
  offset: number | null
  leftBytes: number
}

/**
 * Whether a fetch may begin where others are under way, and which of them it displaces: those go on later
 * from where they were. A clip that waits has the line for itself; what plays does not share it with clips
 * that were left.
 */
export function turnOf<One extends UnderWay>(fetch: Fetch, isStarved: boolean, underWay: readonly One[], line: Line): { begins: boolean; displaced: One[] } {
  const displaced = fetch.urgent ? underWay.filter((one) => isStarved || one.offset === null || one.offset < 0) : []
  const staying = underWay.filter((one) => !displaced.includes(one))
  const leftMs = (staying.reduce((sum, one) => sum + one.leftBytes, 0) * 8000) / Math.max(1, line.bps)
  // They end by the time that its first byte can be here: asked for now, the line is not idle meanwhile.
  const isEnding = leftMs <= line.waitMs
  // Segments of one clip come one after the other: half of two shows nothing.
  const isBeside = fetch.urgent && staying.every((one) => one.offset !== fetch.offset)
  const begins = staying.length === 0 || (staying.length < AT_ONCE && (isEnding || isBeside))
  return { begins, displaced: begins ? displaced : [] }
}

/** Whether a segment that plays after `aheadMs` is to be here early, because the line may fail meanwhile. */
function isKept(aheadMs: number, line: Line, leave: LeaveChance): boolean {
  if (line.saveData || line.varies < STEADY || aheadMs >= MOST_AHEAD_MS) return false
  const needed = 1 - ((line.varies - STEADY) / (1 - STEADY)) * (1 - LEAST_LIKELY)
  return 1 - leave(aheadMs) >= Math.min(needed, NEARLY_ALL)
}

/** The first of a clip's first `size` segments that is not here yet, if any. */
function starter(by: ReadonlyMap<number, Film>, offset: number, size: number): Fetch | null {
  const film = by.get(offset)
  if (!film || film.streams === false) return null
  const first = segmentAt(film.durationsMs, film.atMs)
  for (let at = first; at < Math.min(first + size, film.sizes.length); at += 1) {
    if (!film.has[at]) return { offset, segment: at, urgent: false }
  }
  return null
}
