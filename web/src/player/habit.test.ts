import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Habit } from './habit.ts'
import { Meter } from './meter.ts'

test('who always swipes on after two seconds is expected to', () => {
  const habit = new Habit()
  const before = habit.leaves(1000, 1500)
  for (let clip = 0; clip < 20; clip += 1) habit.swiped(1800)
  assert.ok(habit.leaves(1000, 1500) > 0.7)
  assert.ok(habit.leaves(1000, 1500) > before)
  assert.ok(habit.leaves(0, 400) < 0.05)
})

test('who stays is expected to stay', () => {
  const habit = new Habit()
  for (let clip = 0; clip < 20; clip += 1) habit.swiped(30_000)
  assert.ok(habit.leaves(1000, 1000) < 0.06)
})

test('a chance is one, and grows with the time', () => {
  fc.assert(fc.property(fc.array(fc.nat(60_000)), fc.nat(60_000), fc.nat(60_000), fc.nat(10_000), (swipes, shown, within, more) => {
    const habit = new Habit()
    for (const one of swipes) habit.swiped(one)
    const [less, chance] = [habit.leaves(shown, within), habit.leaves(shown, within + more)]
    return less >= 0 && chance <= 1 && chance >= less - 1e-9
  }))
})

test('the meter finds what a line carries, alone or shared by two answers', () => {
  const meter = new Meter()
  assert.equal(meter.knows, false)
  let now = 0
  for (let turn = 0; turn < 30; turn += 1) {
    meter.began(now, 80)
    if (turn % 2) meter.began(now, 80)
    meter.came(125_000)
    now += 200
    meter.ended(now)
    if (turn % 2) meter.ended(now)
    now += 500
  }
  assert.ok(Math.abs(meter.bps - 5_000_000) < 200_000)
  assert.ok(Math.abs(meter.waitMs - 80) < 1)
})

test('a line that gets worse is believed sooner than one that gets better', () => {
  const fed = (bps: number[]) => {
    const meter = new Meter()
    let now = 0
    for (const one of bps) {
      meter.began(now, 50)
      meter.came(100_000)
      meter.ended((now += (100_000 * 8000) / one))
    }
    return meter.bps
  }
  const worse = fed([8e6, 8e6, 8e6, 8e6, 1e6, 1e6])
  const better = fed([1e6, 1e6, 1e6, 1e6, 8e6, 8e6])
  assert.ok(worse < 3e6)
  assert.ok(better < 4e6)
})

test('small pieces say nothing of the line, and a stall lowers what is believed', () => {
  const meter = new Meter(10)
  const before = meter.bps
  meter.began(0, 100)
  meter.came(500)
  meter.ended(100)
  assert.equal(meter.bps, before)
  meter.stalled()
  assert.ok(meter.bps < before)
})

test('a line varies where its pace does, not where a busy page hears of bytes late', () => {
  const varies = (takes: number[]) => {
    const meter = new Meter()
    let now = 0
    for (const tookMs of takes) {
      meter.began(now, 50)
      meter.came(100_000)
      meter.ended((now += tookMs))
    }
    return meter.varies
  }
  assert.equal(varies([160, 185, 140, 165, 180, 145]), 0)
  assert.ok(varies([160, 160, 640, 160, 160, 640]) > 0.3)
})
