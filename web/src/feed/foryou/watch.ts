/** How long a clip was really watched: playing, on screen, in a window that is in view. */
import type { Signal } from '../../app/api/shapes.ts'
import type { Place } from './walk.ts'

/** A clip counts as seen after this long; shorter is a look in passing. */
export const SEEN_MS = 2000
/** The cell does not believe in more. */
const LONGEST_MS = 3_600_000
/** Of so many clips we remember how long they were watched; one does not scroll back further. */
const MOST = 60

/** What a slide tells of itself. */
export interface OnScreen {
  /** It is the one on screen, with a frame painted. */
  shown: boolean
  /** And plays, in a window that is in view. */
  playing: boolean
  /** How often it has begun again by itself since it came on screen. */
  loops: number
}

export const AWAY: OnScreen = { shown: false, playing: false, loops: 0 }

interface Watched {
  place: Place
  ms: number
  loops: number
  /** Loops of earlier visits. */
  before: number
  visits: number
  replayed: boolean
  isHere: boolean
  /** Since when it plays; null while it does not. */
  since: number | null
}

export interface Ears {
  now(): number
  signal(signal: Signal): void
  /** The clip counts as seen. */
  seen(id: string): void
  later(ms: number, act: () => void): void
}

export class Watch {
  private readonly ears: Ears
  private readonly clips = new Map<string, Watched>()
  private readonly hushed = new Set<string>()

  constructor(ears: Ears) {
    this.ears = ears
  }

  /** The clip `id`, served at `place`, is now like this. */
  tell(id: string, place: Place, is: OnScreen): void {
    if (this.hushed.has(id)) return
    const one = this.clips.get(id) ?? (is.shown ? this.meet(id, place) : undefined)
    if (!one) return
    this.count(one)
    if (is.shown && !one.isHere) this.arrive(one)
    if (is.shown) one.loops = one.before + is.loops
    one.since = is.shown && is.playing ? this.ears.now() : null
    if (one.since !== null) this.lookAgain(id, one)
    if (!is.shown && one.isHere) {
      one.isHere = false
      this.ears.seen(id)
      this.say(one)
    }
  }

  /**
   * Says how far the clip on screen has come; for a window that may not come back. The cell takes the first number that it
   * hears of a slot: less than `leastMs` would make a skip of a clip that is only interrupted.
   */
  interim(leastMs = 0): void {
    for (const one of this.clips.values()) {
      if (!one.isHere) continue
      this.count(one)
      if (one.ms >= leastMs) this.say(one)
    }
  }

  /** Nothing more is said of this clip: that somebody reports it soon is no skip. */
  hush(id: string): void {
    const one = this.clips.get(id)
    if (one) one.isHere = false
    this.clips.delete(id)
    this.hushed.add(id)
  }

  forget(): void {
    this.clips.clear()
    this.hushed.clear()
  }

  private meet(id: string, place: Place): Watched {
    const one = { place, ms: 0, loops: 0, before: 0, visits: 0, replayed: false, isHere: false, since: null }
    this.clips.set(id, one)
    const [oldest] = this.clips.keys()
    if (this.clips.size > MOST && oldest !== undefined) this.clips.delete(oldest)
    return one
  }

  private arrive(one: Watched): void {
    one.isHere = true
    one.visits += 1
    one.before = one.loops
    if (one.visits === 1) this.ears.signal({ ...one.place, kind: 'shown' })
  }

  private count(one: Watched): void {
    if (one.since === null) return
    const now = this.ears.now()
    one.ms += Math.max(0, now - one.since)
    one.since = now
  }

  /** Once it has played long enough it is seen; and replayed, if it was gone before. */
  private lookAgain(id: string, one: Watched): void {
    const visit = one.visits
    const before = one.ms
    this.ears.later(SEEN_MS, () => {
      this.count(one)
      if (!one.isHere || one.visits !== visit || one.ms - before < SEEN_MS - 50) return
      this.ears.seen(id)
      if (visit > 1 && !one.replayed) {
        one.replayed = true
        this.ears.signal({ ...one.place, kind: 'replayed' })
      }
    })
  }

  /** The totals so far. */
  private say(one: Watched): void {
    const ms = Math.min(Math.round(one.ms), LONGEST_MS)
    if (ms > 0) this.ears.signal({ ...one.place, kind: 'watched', ms, loops: one.loops })
  }
}
