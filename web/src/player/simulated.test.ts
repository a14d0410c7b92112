/**
 * The loader's decisions on lines and swipes. Its numbers were chosen with bench/swipe.py, where lines are
 * constant; the rule for lines that vary was added after a first look at the first three lines here (a phone
 * on a train, a crowded room, a line that fails for seconds), so those are no evidence for it. The last three (a
 * change of networks, an evening that fills up, a house with thick walls) and their clips in three rungs were
 * written down before anything was run on them, and no number was changed after.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { always, byLine, dice, fixedAhead, play, wholeFirst, type Decide, type Outcome, type Quality, type Trace, type Visit } from './simulated.ts'

const VISITS = 20

function train(roll: () => number): Trace {
  let bps = 4e6
  return { waitMs: 60 + roll() * 80, bps: Array.from({ length: 240 }, () => (bps = Math.min(12e6, Math.max(0.7e6, bps * Math.exp((roll() - 0.5) * 0.9))))) }
}
function crowd(roll: () => number): Trace {
  return { waitMs: 90 + roll() * 100, bps: Array.from({ length: 240 }, (_, at) => 1.6e6 + 1.2e6 * Math.sin(at / 9) + roll() * 1e6) }
}
function failing(roll: () => number): Trace {
  let away = 0
  return { waitMs: 70, bps: Array.from({ length: 240 }, () => {
    away = away > 0 ? away - 1 : roll() < 0.02 ? 4 : 0
    return away > 0 ? 0.15e6 : 6e6
  }) }
}

/** Clips of 5 to 30 s; one stays for a glance, a few seconds, or to the end. */
function visit(roll: () => number): Visit {
  const clips = Array.from({ length: 14 }, () => {
    const bytes = 70_000 + roll() * 110_000
    const count = 5 + Math.floor(roll() * 25)
    const sizes = Array.from({ length: count }, () => bytes * (0.6 + roll() * 0.8))
    return { rungs: [{ bitrate_bps: bytes * 8, sizes }], durationsMs: Array.from({ length: count }, () => 1000) }
  })
  const dwellsMs = clips.slice(0, 12).map((clip) => (roll() < 0.3 ? 400 + roll() * 800 : roll() < 0.7 ? 1500 + roll() * 5000 : clip.durationsMs.length * 1000))
  return { clips, dwellsMs }
}

function all(trace: (roll: () => number) => Trace, decide?: Decide, made = visit, prime = 7919, quality?: Quality): Outcome {
  const sum: Outcome = { firstMs: [], stallMs: 0, movedBytes: 0, watchedBytes: 0, playedMs: 0, playedBits: 0 }
  for (let seed = 1; seed <= VISITS; seed += 1) {
    const roll = dice(seed * prime)
    const one = play(made(roll), trace(roll), decide, false, quality)
    sum.firstMs.push(...one.firstMs)
    sum.stallMs += one.stallMs
    sum.movedBytes += one.movedBytes
    sum.watchedBytes += one.watchedBytes
    sum.playedMs += one.playedMs
    sum.playedBits += one.playedBits
  }
  return sum
}

const worst = (outcome: Outcome, share = 0.9) => [...outcome.firstMs].sort((a, b) => a - b)[Math.floor(outcome.firstMs.length * share)]!

for (const [name, trace] of Object.entries({ train, crowd, failing })) {
  test(`${name}: fewer bytes than the simple ways, and clips are there sooner`, () => {
    const [ours, whole, fixed] = [all(trace), all(trace, wholeFirst), all(trace, fixedAhead)]
    for (const [who, one] of Object.entries({ ours, whole, fixed })) {
      console.log(`${name} ${who}: p90 ${worst(one)} ms, p95 ${worst(one, 0.95)} ms, stalls ${Math.round(one.stallMs / VISITS)} ms a visit, ${(one.movedBytes / one.watchedBytes).toFixed(2)} of what is watched`)
    }
    assert.ok(ours.movedBytes < fixed.movedBytes)
    assert.ok(ours.movedBytes < whole.movedBytes)
    assert.ok(worst(ours) <= worst(fixed))
    assert.ok(worst(ours) <= worst(whole))
  })
}

test('saving data moves fewer bytes still', () => {
  const roll = () => dice(3)
  assert.ok(play(visit(roll()), train(roll()), undefined, true).movedBytes <= play(visit(roll()), train(roll())).movedBytes)
})

test('what is watched is what is moved where one stays to the end of the last clip', () => {
  const clip = { rungs: [{ bitrate_bps: 800_000, sizes: [100_000, 100_000] }], durationsMs: [1000, 1000] }
  const found = play({ clips: [clip], dwellsMs: [1990] }, { waitMs: 50, bps: [5e6] })
  assert.equal(Math.round(found.movedBytes), 200_000)
  assert.equal(found.stallMs, 0)
})

// --- lines that nothing was chosen by, and clips in several qualities -------------------------------

/** Out of the house and back: a quick network, nothing at all for a moment, a slow one. */
function change(roll: () => number): Trace {
  const bps: number[] = []
  while (bps.length < 240) {
    const [quick, slow] = [8e6 + roll() * 8e6, 0.8e6 + roll() * 1.6e6]
    for (const [rate, steps] of [[quick, 20 + roll() * 40], [0.02e6, 2 + roll() * 3], [slow, 20 + roll() * 40]] as const) for (let at = 0; at < steps; at += 1) bps.push(rate * (0.8 + roll() * 0.4))
  }
  return { waitMs: 40 + roll() * 120, bps }
}
/** Everybody comes home: less and less for each. */
function evening(roll: () => number): Trace {
  const [from, to] = [6e6 + roll() * 6e6, 0.5e6 + roll() * 1e6]
  return { waitMs: 50 + roll() * 60, bps: Array.from({ length: 240 }, (_, at) => from * (to / from) ** (at / 240) * (0.7 + roll() * 0.6)) }
}
/** Rooms near and far from the box: levels that stay for a while. */
function house(roll: () => number): Trace {
  let level = 3e6
  return { waitMs: 20 + roll() * 200, bps: Array.from({ length: 240 }, () => (level = roll() < 0.06 ? [0.6e6, 1.3e6, 3e6, 10e6][Math.floor(roll() * 4)]! : level) * (0.9 + roll() * 0.2)) }
}

/** Clips of 4 to 40 s in three rungs; many glances, few stays. */
function laddered(roll: () => number): Visit {
  const clips = Array.from({ length: 16 }, () => {
    const count = 4 + Math.floor(roll() * 36)
    const each = Array.from({ length: count }, () => 0.5 + roll())
    const top = 1.8e6 + roll() * 1.6e6
    const rungs = [0.22, 0.5, 1].map((share) => ({ bitrate_bps: top * share, sizes: each.map((one) => (top * share * one) / 8) }))
    return { rungs, durationsMs: each.map(() => 1000) }
  })
  const dwellsMs = clips.slice(0, 14).map((clip) => (roll() < 0.45 ? 300 + roll() * 1200 : roll() < 0.6 ? 2000 + roll() * 8000 : clip.durationsMs.length * 1000))
  return { clips, dwellsMs }
}

for (const [name, trace] of Object.entries({ change, evening, house })) {
  test(`${name}: by the line, clips are there sooner than at the best quality, stop less, and are better than at the least`, () => {
    const at = (quality: Quality, decide?: Decide) => all(trace, decide, laddered, 104_729, quality)
    const ways = { ours: at(byLine), best: at(always(-1)), least: at(always(0)), fixed: at(byLine, fixedAhead) }
    for (const [who, one] of Object.entries(ways)) {
      console.log(`${name} ${who}: p90 ${worst(one)} ms, p95 ${worst(one, 0.95)} ms, stalls ${Math.round(one.stallMs / VISITS)} ms a visit, ${(one.playedBits / one.playedMs).toFixed(0)} kbit/s, ${(one.movedBytes / one.watchedBytes).toFixed(2)} of what is watched`)
    }
    const { ours, best, least, fixed } = ways
    const rate = (one: Outcome) => one.playedBits / one.playedMs
    assert.ok(worst(ours) <= worst(best))
    assert.ok(ours.stallMs < best.stallMs)
    assert.ok(rate(ours) > rate(least))
    assert.ok(worst(ours) <= worst(fixed))
    assert.ok(ours.movedBytes / ours.watchedBytes < fixed.movedBytes / fixed.watchedBytes)
  })
}
