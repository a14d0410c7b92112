/** Fetches segments for all players of the page: decides by `nextFetch`, one request after the other. */
import type { Rendition, Segments } from '../app/api/shapes.ts'
import { headersFor, isOwn } from './cmcd.ts'
import { Habit } from './habit.ts'
import { connection } from './line.ts'
import { Meter } from './meter.ts'
import { aheadOf, nextFetch, turnOf, type Fetch, type Film, type Line } from './prefetch.ts'
import { goesOnAt } from './rendition.ts'
import { touched, type Span } from './spans.ts'

export type Cut = Rendition & { segments: Segments }

/** A player as the loader sees it. */
export interface Fed {
  /** Places from the clip on screen; null: it is to get nothing now. */
  readonly offset: number | null
  readonly timeMs: number
  /** It has shown no picture yet. */
  readonly blank: boolean
  /** Its browser wants bytes for later. */
  readonly streams: boolean
  /** Its picture stopped, and its browser goes on once it has more. */
  readonly waits: boolean
  /** The renditions that its browser takes, lowest first. */
  readonly cuts: readonly Cut[]
  /** Which of them it is to have, by what the line carries. */
  choose(bps: number | null): Cut
  /** Takes bytes in, in their order; they are of a segment, or what its rendition needs before any of them. */
  take(bytes: Uint8Array<ArrayBuffer>): Promise<void>
  /** The segment whose first bytes it took is not gone on with: what comes next is another one. */
  breakOff(): void
  /** Its last segment is there: it ends where that ends. */
  ends(): void
  /** Its bytes cannot be had. */
  lost(): void
}

interface Kept {
  fed: Fed
  cut: Cut
  /** Segments that are here or on their way. */
  has: boolean[]
  /** Those that its player has whole. */
  here: boolean[]
  /** The request whose bytes its player gets as they come. */
  pouring: Running | null
  /** Of which rendition the last bytes were. */
  last: Cut | null
  inits: Map<string, Uint8Array<ArrayBuffer>>
  /** Beginnings of ranges whose fetch was displaced, by what was asked for: they go on from there. */
  begun: Map<string, Uint8Array<ArrayBuffer>>
}

/** A request that has begun. */
interface Running extends Fetch {
  fed: Fed
  leftBytes: number
  /** It will end before the next one's first byte can be here, and that was said. */
  isEnding: boolean
  /** Keeps what came, for another request that goes on from there. */
  keep: () => void
  /** So many of its bytes its player has before the others are here. */
  poured: number
  given: Promise<void>
  /** It has ended, one way or another. */
  over: Promise<void>
}

const TRIES = 3
const AGAIN_MS = 400
/** A part of the line stays for all else. */
const LINE_SHARE = 0.8
const LEAST_TIMER_MS = 15
/** While it is not known when bytes are missed, one looks again that often. */
const LOOK_MS = 250

export class Loader {
  readonly meter: Meter
  readonly habit = new Habit()
  private readonly films = new Map<Fed, Kept>()
  private readonly running = new Map<AbortController, Running>()
  private timer: ReturnType<typeof setTimeout> | undefined
  private shownSince = performance.now()
  private shown: Fed | null = null
  private readonly saveData: () => boolean

  constructor(told = connection()) {
    this.meter = new Meter(told?.downlink)
    this.saveData = () => connection()?.saveData ?? false
  }

  add(fed: Fed): void {
    this.films.set(fed, { fed, cut: fed.choose(null), has: [], here: [], pouring: null, last: null, inits: new Map(), begun: new Map() })
    this.look()
  }

  remove(fed: Fed): void {
    this.films.delete(fed)
    for (const [abort, fetch] of this.running) if (fetch.fed === fed) abort.abort()
    if (this.shown === fed) this.shown = null
    this.look()
  }

  /** Something has changed: the place in the feed, what plays, what is missing. Looked at once all has. */
  look(): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.decide(), 0)
  }

  /** A picture stopped, waiting for bytes. */
  stalled(): void {
    this.meter.stalled()
    this.look()
  }

  /** The browser let go of times that it had, in milliseconds: they come again when they are needed. */
  evicted(fed: Fed, lost: readonly Span[]): void {
    const kept = this.films.get(fed)
    if (!kept) return
    for (const at of touched(kept.cut.segments.durations_ms, lost)) if (kept.here[at]) kept.here[at] = kept.has[at] = false
    this.look()
  }

  private line(): Line {
    return { bps: this.meter.bps, waitMs: this.meter.waitMs, varies: this.meter.varies, saveData: this.saveData() }
  }

  private decide(): void {
    clearTimeout(this.timer)
    this.notice()
    const shownMs = performance.now() - this.shownSince
    const leave = (withinMs: number) => this.habit.leaves(shownMs, withinMs)
    for (;;) {
      const kept = [...this.films.values()].filter((one) => one.fed.offset !== null)
      const films = kept.map((one) => this.filmOf(one))
      const found = nextFetch(films, this.line(), leave)
      if ('inMs' in found) {
        const anyMoves = kept.some((one) => one.fed.offset === 0 && one.has.includes(false))
        if (anyMoves) this.timer = setTimeout(() => this.decide(), Math.max(LEAST_TIMER_MS, Math.min(found.inMs, LOOK_MS)))
        return
      }
      const at = kept.find((one) => one.fed.offset === found.offset)
      if (!at) return
      const film = films.find((one) => one.offset === found.offset)!
      const isStarved = found.offset === 0 && aheadOf(film).aheadMs === 0
      const underWay = [...this.running].map(([abort, one]) => ({ abort, offset: one.fed.offset, leftBytes: one.leftBytes }))
      const { begins, displaced } = turnOf(found, isStarved, underWay, this.line())
      if (!begins) return
      for (const { abort } of displaced) this.displace(abort)
      this.fetch(at, found)
    }
  }

  /** Breaks a request off; what came of it is kept. */
  private displace(abort: AbortController): void {
    const running = this.running.get(abort)!
    const { fed, segment, keep } = running
    // Before it is broken off: it may be asked for again at once.
    keep()
    abort.abort()
    this.running.delete(abort)
    const kept = this.films.get(fed)
    if (!kept) return
    kept.has[segment] = false
    if (kept.pouring !== running) return
    kept.pouring = kept.last = null
    fed.breakOff()
  }

  /** Learns how long clips stay on screen. */
  private notice(): void {
    const shown = [...this.films.keys()].find((fed) => fed.offset === 0) ?? null
    if (shown === this.shown) return
    if (this.shown && shown) this.habit.swiped(performance.now() - this.shownSince)
    this.shown = shown
    this.shownSince = performance.now()
  }

  private filmOf(kept: Kept): Film {
    if (!kept.has.some(Boolean)) kept.cut = kept.fed.choose(this.meter.knows ? this.meter.bps * LINE_SHARE : null)
    else this.lower(kept)
    const { segments } = kept.cut
    if (kept.has.length !== segments.sizes.length) {
      kept.has = segments.sizes.map(() => false)
      kept.here = [...kept.has]
    }
    const sizes = kept.inits.has(kept.cut.url) ? segments.sizes : segments.sizes.map((size, at) => (at === 0 ? size + segments.init_bytes : size))
    return { offset: kept.fed.offset!, sizes, durationsMs: segments.durations_ms, has: kept.has, atMs: kept.fed.timeMs, streams: kept.fed.streams, waits: kept.fed.waits }
  }

  /** A clip that has begun goes on at a lower quality where the line does not carry its own any more. */
  private lower(kept: Kept): void {
    const { cuts } = kept.fed
    const at = cuts.indexOf(kept.cut)
    if (at > 0) kept.cut = cuts[goesOnAt(cuts, at, this.meter.bps * LINE_SHARE)]!
  }

  private fetch(kept: Kept, what: Fetch): void {
    const { fed, cut } = kept
    const abort = new AbortController()
    kept.has[what.segment] = true
    const none = Promise.resolve()
    const running: Running = { ...what, fed, leftBytes: cut.segments.sizes[what.segment]!, isEnding: false, keep: () => undefined, poured: 0, given: none, over: none }
    this.running.set(abort, running)
    running.over = this.transfer(kept, cut, running, abort)
  }

  private async transfer(kept: Kept, cut: Cut, what: Running, abort: AbortController): Promise<void> {
    const { fed } = kept
    try {
      const bytes = await this.bytesOf(kept, cut, what, abort.signal)
      // The line is free, while the browser takes in what came.
      this.running.delete(abort)
      this.look()
      await this.giveAll(kept, cut, what, bytes)
    } catch {
      if (abort.signal.aborted) return
      kept.has[what.segment] = false
      if (this.films.get(fed) === kept) fed.lost()
    } finally {
      if (kept.pouring === what) kept.pouring = null
      this.running.delete(abort)
      this.decide()
    }
  }

  /** A segment's bytes. Those of the first one of a file begin with what its rendition needs before any. */
  private async bytesOf(kept: Kept, cut: Cut, what: Running, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const { segments } = cut
    const start = segments.sizes.slice(0, what.segment).reduce((sum, one) => sum + one, segments.init_bytes)
    const end = start + segments.sizes[what.segment]!
    const isWhole = what.segment === 0 && !kept.inits.has(cut.url)
    const pour = (here: Uint8Array<ArrayBuffer>) => this.pour(kept, cut, what, here, isWhole)
    const bytes = await this.range(kept, cut, isWhole ? 0 : start, end, what, signal, pour)
    if (isWhole) {
      kept.inits.set(cut.url, bytes.slice(0, segments.init_bytes))
      return what.poured > 0 ? bytes : bytes.subarray(segments.init_bytes)
    }
    // Asked for only now: with the first segment it may have come meanwhile.
    if (!kept.inits.has(cut.url)) kept.inits.set(cut.url, await this.range(kept, cut, 0, segments.init_bytes, what, signal))
    return bytes
  }

  /** Gives a player that has nothing to show what is here of the segment that it waits for; the rest follows as it comes. */
  private pour(kept: Kept, cut: Cut, what: Running, here: Uint8Array<ArrayBuffer>, isWhole: boolean): void {
    if (here.length <= what.poured || this.films.get(kept.fed) !== kept) return
    if (kept.pouring !== what) {
      if (kept.pouring || !isWaitedFor(kept, what.segment) || !(isWhole || kept.inits.has(cut.url))) return
      kept.pouring = what
      if (!isWhole) this.lead(kept, cut)
      kept.last = cut
    }
    what.given = kept.fed.take(here.subarray(what.poured))
    what.poured = here.length
  }

  /** Gives a player all that it does not have yet of a segment. */
  private async giveAll(kept: Kept, cut: Cut, what: Running, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const { fed } = kept
    // The bytes of two segments do not mix.
    while (kept.pouring && kept.pouring !== what) await kept.pouring.over
    if (this.films.get(fed) !== kept) return
    if (what.poured === 0) this.lead(kept, cut)
    await (bytes.length > what.poured ? fed.take(bytes.subarray(what.poured)) : what.given)
    if (kept.pouring === what) kept.pouring = null
    kept.here[what.segment] = true
    if (kept.here[kept.here.length - 1]) fed.ends()
  }

  /** What a rendition needs before its first segment, where the last bytes were of another one. */
  private lead(kept: Kept, cut: Cut): void {
    if (kept.last !== cut) void kept.fed.take(kept.inits.get(cut.url)!)
    kept.last = cut
  }

  /** Some bytes of a file. Where another place than the cell delivers and does not answer, the cell is asked. */
  private async range(kept: Kept, cut: Cut, start: number, end: number, what: Running, signal: AbortSignal, heard?: (here: Uint8Array<ArrayBuffer>) => void): Promise<Uint8Array<ArrayBuffer>> {
    let url = cut.segments.url
    const name = `${cut.url} ${start}-${end}`
    const bytes = new Uint8Array(end - start)
    let place = 0
    for (let left = TRIES; ; left -= 1) {
      const begun = kept.begun.get(name)
      if (begun) bytes.set(begun)
      place = begun?.length ?? 0
      kept.begun.delete(name)
      what.keep = () => void kept.begun.set(name, bytes.slice(0, place))
      const came = (piece: Uint8Array) => {
        if (place + piece.length > bytes.length) throw new Error('more than was asked for')
        bytes.set(piece, place)
        place += piece.length
        this.came(what, piece.length, bytes.length - place)
        heard?.(bytes.subarray(0, place))
      }
      try {
        await this.asked(url, cut, start + place, end, what, came, signal)
        if (place !== bytes.length) throw new Error('cut off')
        return bytes
      } catch (problem) {
        if (signal.aborted || left <= 1 || problem instanceof Gone) throw problem
        const own = /\/p\/[\w-]+\/[\w.-]+$/.exec(url)
        if (own && !isOwn(url)) url = `/media${own[0]}`
        else await new Promise((done) => setTimeout(done, AGAIN_MS))
      }
    }
  }

  /** Bytes came; `leftBytes` of their range are still to come. */
  private came(what: Running, bytes: number, leftBytes: number): void {
    this.meter.came(bytes)
    what.leftBytes = leftBytes
    if (what.isEnding || (leftBytes * 8000) / this.meter.bps > this.meter.waitMs) return
    what.isEnding = true
    this.look()
  }

  private async asked(url: string, cut: Cut, start: number, end: number, what: Fetch, came: (piece: Uint8Array) => void, signal: AbortSignal): Promise<void> {
    const asked = performance.now()
    const headers = { range: `bytes=${start}-${end - 1}`, ...headersFor(url, cut, what) }
    const answer = await fetch(url, { headers, signal, credentials: 'same-origin', priority: what.offset === 0 ? 'high' : 'auto' })
    if (answer.status === 403 || answer.status === 404) throw isOwn(url) ? new Gone() : new Error('not there')
    if (answer.status !== 206 || !answer.body) throw new Error(`status ${answer.status}`)
    this.meter.began(performance.now(), performance.now() - asked)
    try {
      const reader = answer.body.getReader()
      for (;;) {
        const { done, value } = await reader.read()
        if (done) break
        came(value)
      }
    } finally {
      this.meter.ended(performance.now())
    }
  }
}

/** Whether a player on screen has nothing to show until this segment is there. One that stopped later would move and stop again. */
function isWaitedFor({ fed, cut, here }: Kept, segment: number): boolean {
  const { sizes, durations_ms } = cut.segments
  const { aheadMs, missing } = aheadOf({ offset: 0, sizes, durationsMs: durations_ms, has: here, atMs: fed.timeMs })
  return fed.offset === 0 && fed.blank && aheadMs === 0 && missing === segment
}

/** The cell itself says that there is no such file, or that its address has ended. */
class Gone extends Error {}

export const loader = new Loader()
