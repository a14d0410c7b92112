/**
 * A visit on a simulated clock: clips, swipes and a line that changes, with the decisions of the
 * real loader's parts. For tests; the app never loads it.
 */
import { Habit } from './habit.ts'
import { Meter } from './meter.ts'
import type { Rendition } from '../app/api/shapes.ts'
import { aheadOf, nextFetch, segmentAt, turnOf, type Fetch, type Film, type LeaveChance, type Line } from './prefetch.ts'
import { chooseRendition, goesOnAt } from './rendition.ts'

/** Bits per second in each `STEP_MS`, again and again, and the time to a first byte. */
export interface Trace {
  bps: readonly number[]
  waitMs: number
}

/** A quality: what it takes on average, and the bytes of each of its segments. */
export interface Rung {
  bitrate_bps: number
  sizes: readonly number[]
}

export interface Visit {
  /** Lowest rung first. */
  clips: readonly { rungs: readonly Rung[]; durationsMs: readonly number[] }[]
  dwellsMs: readonly number[]
}

export interface Outcome {
  /** At each swipe but the first: how long until the clip could be shown. */
  firstMs: number[]
  /** Stops of pictures that had begun, in a whole visit. */
  stallMs: number
  movedBytes: number
  /** Bytes of what was on screen. */
  watchedBytes: number
  /** For how long pictures moved, and the sum of their rates over that time. */
  playedMs: number
  playedBits: number
}

/** At which rung a clip begins, by what the line carries (null: nobody knows yet), and at which it goes on. */
export interface Quality {
  begins(ladder: readonly Rung[], bps: number | null): number
  goesOn(ladder: readonly Rung[], at: number, bps: number): number
}

/** As in the loader. */
const LINE_SHARE = 0.8

/** What the app does, on a screen that shows all of the highest rung. */
export const byLine: Quality = {
  begins(ladder, bps) {
    const renditions = ladder.map(({ bitrate_bps }, at) => ({ width: at + 1, height: at + 1, bitrate_bps }) as Rendition)
    const conditions = { stageWidth: 1000, stageHeight: 1000, pixelRatio: 2, lineBps: bps === null ? null : bps * LINE_SHARE, saveData: false }
    return chooseRendition(renditions, conditions)!.width - 1
  },
  goesOn: (ladder, at, bps) => goesOnAt(ladder.map((one) => ({ ...one, segments: one })), at, bps * LINE_SHARE),
}

/** The same rung for all clips: 0 is the lowest, −1 the highest. */
export const always = (rung: number): Quality => {
  const at = (ladder: readonly Rung[]) => (rung + ladder.length) % ladder.length
  return { begins: at, goesOn: at }
}

export type Decide = (films: readonly Film[], line: Line, leave: LeaveChance) => Fetch | { inMs: number }

export const STEP_MS = 500
const TICK_MS = 5

interface Transfer {
  clip: number
  segment: number
  left: number
  waitsMs: number
  began: boolean
}

/** A generator of numbers in [0, 1) that gives the same row for the same seed (mulberry32). */
export function dice(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Plays a visit over a line. */
export function play(visit: Visit, trace: Trace, decide: Decide = nextFetch, saveData = false, quality: Quality = byLine): Outcome {
  const meter = new Meter()
  const habit = new Habit()
  const has = visit.clips.map((clip) => clip.durationsMs.map(() => false))
  const here = visit.clips.map((clip) => clip.durationsMs.map(() => false))
  const rungs = visit.clips.map((clip) => quality.begins(clip.rungs, null))
  /** At which rung each segment was fetched. */
  const fetched = visit.clips.map((clip) => clip.durationsMs.map(() => 0))
  const transfers: Transfer[] = []
  /** Bytes that are left of what was displaced. */
  const parts = new Map<string, number>()
  const out: Outcome = { firstMs: [], stallMs: 0, movedBytes: 0, watchedBytes: 0, playedMs: 0, playedBits: 0 }
  let at = 0
  let shownMs = 0
  let watchedMs = 0
  let atMs = 0
  let started = false
  let wakeMs = 0
  for (let now = 0; at < visit.dwellsMs.length && now < 600_000; now += TICK_MS) {
    // 1. The line gives its bytes to what is under way.
    const flowing = transfers.filter((one) => one.waitsMs <= 0)
    const bits = trace.bps[Math.floor(now / STEP_MS) % trace.bps.length]!
    const share = (bits * TICK_MS) / 8000 / Math.max(1, flowing.length)
    for (const one of transfers) if (one.waitsMs > 0) one.waitsMs -= TICK_MS
    for (const one of flowing) {
      if (!one.began) meter.began(now, trace.waitMs)
      one.began = true
      const came = Math.min(one.left, share)
      one.left -= came
      out.movedBytes += came
      meter.came(came)
    }
    let changed = false
    for (const one of transfers.filter((each) => each.left <= 0)) {
      meter.ended(now)
      here[one.clip]![one.segment] = true
      transfers.splice(transfers.indexOf(one), 1)
      changed = true
    }
    // 2. The clip on screen plays if it can; whoever has seen nothing yet waits for it.
    const clip = visit.clips[at]!
    const length = clip.durationsMs.reduce((sum, one) => sum + one, 0)
    const { sizes } = clip.rungs[rungs[at]!]!
    const playable = aheadOf({ offset: 0, sizes, durationsMs: clip.durationsMs, has: here[at]!, atMs }).aheadMs > 0
    shownMs += TICK_MS
    if (playable) {
      if (!started && at > 0) out.firstMs.push(shownMs - TICK_MS)
      started = true
      const shown = segmentAt(clip.durationsMs, atMs)
      const bytes = (clip.rungs[fetched[at]![shown]!]!.sizes[shown]! * TICK_MS) / clip.durationsMs[shown]!
      out.playedMs += TICK_MS
      out.playedBits += bytes * 8
      if (watchedMs < length) out.watchedBytes += bytes
      atMs += TICK_MS
      watchedMs += TICK_MS
      if (atMs >= length) atMs = 0
    } else if (started) {
      out.stallMs += TICK_MS
      if (out.stallMs % 500 < TICK_MS) meter.stalled()
    }
    // 3. The person swipes on.
    if (started && shownMs >= visit.dwellsMs[at]!) {
      habit.swiped(shownMs)
      at += 1
      shownMs = watchedMs = atMs = 0
      started = false
      changed = true
    }
    // 4. The loader looks whether something is to be fetched.
    const left = transfers.reduce((sum, one) => sum + one.left, 0)
    const endsSoon = transfers.length === 1 && (left * 8000) / meter.bps <= meter.waitMs
    if (!changed && !endsSoon && now < wakeMs) continue
    for (;;) {
      const films: Film[] = []
      for (const offset of [-1, 0, 1, 2]) {
        const which = at + offset
        const other = visit.clips[which]
        if (!other) continue
        const knows = meter.knows ? meter.bps : null
        rungs[which] = has[which]!.some(Boolean) ? quality.goesOn(other.rungs, rungs[which]!, meter.bps) : quality.begins(other.rungs, knows)
        films.push({ offset, sizes: other.rungs[rungs[which]!]!.sizes, durationsMs: other.durationsMs, has: has[which]!, atMs: offset === 0 ? atMs : 0 })
      }
      const line = { bps: meter.bps, waitMs: meter.waitMs, varies: meter.varies, saveData }
      const found = decide(films, line, (within) => habit.leaves(shownMs, within))
      if ('inMs' in found) {
        wakeMs = now + Math.min(found.inMs, 250)
        break
      }
      const isStarved = found.offset === 0 && aheadOf(films.find((one) => one.offset === 0)!).aheadMs === 0
      const underWay = transfers.map((one) => ({ one, offset: one.clip - at, leftBytes: one.left }))
      const { begins, displaced } = turnOf(found, isStarved, underWay, line)
      if (!begins) break
      for (const { one } of displaced) {
        if (one.began) meter.ended(now)
        has[one.clip]![one.segment] = false
        parts.set(`${one.clip} ${one.segment} ${fetched[one.clip]![one.segment]}`, one.left)
        transfers.splice(transfers.indexOf(one), 1)
      }
      const which = at + found.offset
      has[which]![found.segment] = true
      const rung = (fetched[which]![found.segment] = rungs[which]!)
      const bytes = parts.get(`${which} ${found.segment} ${rung}`) ?? visit.clips[which]!.rungs[rung]!.sizes[found.segment]!
      transfers.push({ clip: which, segment: found.segment, left: bytes, waitsMs: trace.waitMs, began: false })
    }
  }
  return out
}

/** What is simple: the whole clip on screen, then the first second of the next one. */
export const wholeFirst: Decide = (films) => {
  for (const offset of [0, 1]) {
    const film = films.find((one) => one.offset === offset)
    const segment = film?.has.indexOf(false) ?? -1
    if (segment >= 0 && (offset === 0 || segment === 0)) return { offset, segment, urgent: offset === 0 }
  }
  return { inMs: 1000 }
}

/** What many do: four seconds ahead of the clip on screen, one of the next. */
export const fixedAhead: Decide = (films) => {
  const current = films.find((one) => one.offset === 0)
  const { aheadMs, missing } = current ? aheadOf(current) : { aheadMs: 0, missing: -1 }
  if (missing >= 0 && aheadMs < 4000) return { offset: 0, segment: missing, urgent: true }
  const next = films.find((one) => one.offset === 1)
  if (next && !next.has[0]) return { offset: 1, segment: 0, urgent: false }
  return { inMs: missing >= 0 ? aheadMs - 4000 + TICK_MS : 1000 }
}
