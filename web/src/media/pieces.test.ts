import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canSplit, joined, keptParts, lengthOf, MOST_PIECES, momentIn, move, remove, split, type Piece } from './pieces.ts'

const whole: Piece[] = [{ startMs: 0, endMs: 6000 }]

test('a split keeps every millisecond, and joining undoes it', () => {
  const two = split(whole, 0, 2500.4)
  assert.deepEqual(two, [{ startMs: 0, endMs: 2500 }, { startMs: 2500, endMs: 6000 }])
  assert.equal(lengthOf(two), 6000)
  assert.deepEqual(joined(two), whole)
  assert.deepEqual(whole, [{ startMs: 0, endMs: 6000 }])
})

test('nothing is split into a blink, nor into more pieces than the cell takes', () => {
  assert.deepEqual(split(whole, 0, 100), whole)
  assert.ok(!canSplit(whole, 1, 3000))
  const many = Array.from({ length: MOST_PIECES }, (_, at) => ({ startMs: at * 2000, endMs: at * 2000 + 2000 }))
  assert.ok(!canSplit(many, 0, 1000))
  assert.ok(canSplit(many.slice(1), 0, 3000))
})

test('pieces change places and go, but one stays', () => {
  const two = split(whole, 0, 2000)
  const turned = move(two, 1, -1)
  assert.deepEqual(turned, [{ startMs: 2000, endMs: 6000 }, { startMs: 0, endMs: 2000 }])
  assert.deepEqual(move(two, 0, -1), two)
  assert.deepEqual(joined(turned), turned)
  assert.deepEqual(remove(turned, 0), [{ startMs: 0, endMs: 2000 }])
  assert.deepEqual(remove(whole, 0), whole)
})

test('a moment of the film is found where it plays', () => {
  const turned = [{ startMs: 4000, endMs: 6000 }, { startMs: 0, endMs: 2000 }]
  assert.equal(momentIn(turned, 4500), 500)
  assert.equal(momentIn(turned, 0), 2000)
  assert.equal(momentIn(turned, 3000), 0)
})

test('a part that was taken back is left out, with a hair beside it', () => {
  assert.deepEqual(keptParts([1000, 2500, 4000], new Set()), [{ startMs: 0, endMs: 1000 }, { startMs: 1000, endMs: 2500 }, { startMs: 2500, endMs: 4000 }])
  assert.deepEqual(joined(keptParts([1000, 2500, 4000], new Set())), [{ startMs: 0, endMs: 4000 }])
  assert.deepEqual(keptParts([1000, 2500, 4000], new Set([1])), [{ startMs: 0, endMs: 960 }, { startMs: 2540, endMs: 4000 }])
  assert.deepEqual(keptParts([1000], new Set([0])), [])
})
