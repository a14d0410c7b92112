/** Fetches segments for all players of the page: decides by `nextFetch`, one request after the other. */
import type { Rendition, Segments } from '../app/api/shapes.ts'
import { headersFor } from './cmcd.ts'
import { Habit } from './habit.ts'
import { connection } from './line.ts'
import { Meter } from './meter.ts'
import { aheadOf, nextFetch, turnOf, type Fetch, type Film, type Line } from './prefetch.ts'

export type Cut = Rendition & { segments: Segments }

/** A player as the loader sees it. */
export interface Fed {
  /** Places from the clip on screen; null: it is to get nothing now. */
  readonly offset: number | null
  readonly timeMs: number
  /** It waits for bytes that are not here. */
  readonly starved: boolean
  /** The renditions that its browser takes, lowest first. */
  readonly cuts: readonly Cut[]
  /** Which of them it is to have, by what the line carries. */
  choose(bps: number | null): Cut
  /** Takes bytes in; they are of a segment, or what its rendition needs before any of them. */
  take(bytes: Uint8Array<ArrayBuffer>): Promise<void>
  /** All segments are there. */
  whole(): void
  /** Its bytes cannot be had. */
  lost(): void
}

interface Kept {
  fed: Fed
  cut: Cut
  has: boolean[]
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
    this.films.set(fed, { fed, cut: fed.choose(null), has: [], last: null, inits: new Map(), begun: new Map() })
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
      void this.fetch(at, found)
    }
  }

  /** Breaks a request off; what came of it is kept. */
  private displace(abort: AbortController): void {
    const { fed, segment, keep } = this.running.get(abort)!
    // Before it is broken off: it may be asked for again at once.
    keep()
    abort.abort()
    this.running.delete(abort)
    const kept = this.films.get(fed)
    if (kept) kept.has[segment] = false
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
    if (kept.has.length === 0) kept.has = segments.sizes.map(() => false)
    const sizes = kept.inits.has(kept.cut.url) ? segments.sizes : segments.sizes.map((size, at) => (at === 0 ? size + segments.init_bytes : size))
    return { offset: kept.fed.offset!, sizes, durationsMs: segments.durations_ms, has: kept.has, atMs: kept.fed.timeMs }
  }

  /** A clip that has begun goes on at a lower quality where the line does not carry its own any more. */
  private lower(kept: Kept): void {
    const { cuts } = kept.fed
    for (let at = cuts.indexOf(kept.cut); at > 0; at -= 1) {
      if (cuts[at]!.bitrate_bps <= this.meter.bps * LINE_SHARE) return
      if (cuts[at - 1]!.segments.sizes.length !== kept.has.length) return
      kept.cut = cuts[at - 1]!
    }
  }

  private async fetch(kept: Kept, what: Fetch): Promise<void> {
    const { fed, cut } = kept
    const abort = new AbortController()
    kept.has[what.segment] = true
    const running = { ...what, fed, leftBytes: cut.segments.sizes[what.segment]!, isEnding: false, keep: () => undefined }
    this.running.set(abort, running)
    try {
      const pieces = await this.pieces(kept, cut, running, abort.signal)
      // The line is free, while the browser takes in what came.
      this.running.delete(abort)
      this.look()
      if (this.films.get(fed) !== kept) return
      for (const piece of pieces) await fed.take(piece)
      if (kept.has.every(Boolean) && ![...this.running.values()].some((one) => one.fed === fed)) fed.whole()
    } catch {
      if (abort.signal.aborted) return
      kept.has[what.segment] = false
      if (this.films.get(fed) === kept) fed.lost()
    } finally {
      this.running.delete(abort)
      this.decide()
    }
  }

  /** The bytes to append for a segment: those of its rendition's beginning first where they change. */
  private async pieces(kept: Kept, cut: Cut, what: Running, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>[]> {
    const { segments } = cut
    const start = segments.sizes.slice(0, what.segment).reduce((sum, one) => sum + one, segments.init_bytes)
    const end = start + segments.sizes[what.segment]!
    const isWhole = what.segment === 0 && !kept.inits.has(cut.url)
    const bytes = await this.range(kept, cut, isWhole ? 0 : start, end, what, signal)
    const isNew = kept.last !== cut
    kept.last = cut
    if (isWhole) {
      kept.inits.set(cut.url, bytes.slice(0, segments.init_bytes))
      return [bytes]
    }
    // Asked for only now: with the first segment it may have come meanwhile.
    const init = kept.inits.get(cut.url) ?? (await this.range(kept, cut, 0, segments.init_bytes, what, signal))
    kept.inits.set(cut.url, init)
    return isNew ? [init, bytes] : [bytes]
  }

  /** Some bytes of a file. Where another place than the cell delivers and does not answer, the cell is asked. */
  private async range(kept: Kept, cut: Cut, start: number, end: number, what: Running, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
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
      }
      try {
        await this.asked(url, cut, start + place, end, what, came, signal)
        if (place !== bytes.length) throw new Error('cut off')
        return bytes
      } catch (problem) {
        if (signal.aborted || left <= 1 || problem instanceof Gone) throw problem
        const own = /\/p\/[\w-]+\/[\w.-]+$/.exec(url)
        if (own && !url.startsWith('/')) url = `/media${own[0]}`
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
    const own = url.startsWith('/')
    if (answer.status === 403 || answer.status === 404) throw own ? new Gone() : new Error('not there')
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

/** The cell itself says that there is no such file, or that its address has ended. */
class Gone extends Error {}

export const loader = new Loader()
