import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mayLoad, MOST_PLAYERS, playerWindow, roleOf } from './window.ts'

test('a scroll through a thousand clips never needs more players than the pool has', () => {
  for (let current = 0; current < 1000; current += 1) {
    const { first, last } = playerWindow(current, 1000)
    const withPlayer = Array.from({ length: 1000 }, (_, at) => at).filter((at) => roleOf(at, current) !== 'none')
    assert.deepEqual(withPlayer, Array.from({ length: last - first + 1 }, (_, at) => first + at))
    assert.ok(withPlayer.length < MOST_PLAYERS)
  }
})

test('one clip behind is kept and two ahead are warmed', () => {
  assert.deepEqual([9, 10, 11, 12, 13, 8].map((at) => roleOf(at, 10)), ['previous', 'current', 'next', 'after-next', 'none', 'none'])
})

test('the clip on screen has the line until it has painted, then the next one has', () => {
  assert.equal(mayLoad('current', false, false), true)
  assert.equal(mayLoad('next', false, false), false)
  assert.equal(mayLoad('next', true, false), true)
  assert.equal(mayLoad('after-next', true, false), false)
  assert.equal(mayLoad('after-next', true, true), true)
})
