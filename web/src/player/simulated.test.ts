/**
 * The loader's decisions on lines and swipes that it was not tuned on: its numbers were chosen with
 * bench/swipe.py, where lines are constant. These traces are made here, by three rules that none of
 * that knows: a phone on a train, a crowded room, a line that fails for seconds.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dice, fixedAhead, play, wholeFirst, type Decide, type Outcome, type Trace, type Visit } from './simulated.ts'

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
    return { sizes: Array.from({ length: count }, () => bytes * (0.6 + roll() * 0.8)), durationsMs: Array.from({ length: count }, () => 1000) }
  })
  const dwellsMs = clips.slice(0, 12).map((clip) => (roll() < 0.3 ? 400 + roll() * 800 : roll() < 0.7 ? 1500 + roll() * 5000 : clip.sizes.length * 1000))
  return { clips, dwellsMs }
}

function all(trace: (roll: () => number) => Trace, decide?: Decide): Outcome {
  const sum: Outcome = { firstMs: [], stallMs: 0, movedBytes: 0, watchedBytes: 0 }
  for (let seed = 1; seed <= VISITS; seed += 1) {
    const roll = dice(seed * 7919)
    const one = play(visit(roll), trace(roll), decide)
    sum.firstMs.push(...one.firstMs)
    sum.stallMs += one.stallMs
    sum.movedBytes += one.movedBytes
    sum.watchedBytes += one.watchedBytes
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
  const clip = { sizes: [100_000, 100_000], durationsMs: [1000, 1000] }
  const found = play({ clips: [clip], dwellsMs: [1990] }, { waitMs: 50, bps: [5e6] })
  assert.equal(Math.round(found.movedBytes), 200_000)
  assert.equal(found.stallMs, 0)
})
