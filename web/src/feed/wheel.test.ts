import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Wheel } from './wheel.ts'

test('one click of a mouse wheel is one clip, and the next click the next', () => {
  const wheel = new Wheel()
  assert.equal(wheel.step(100, 0), 1)
  assert.equal(wheel.step(100, 600), 1)
  assert.equal(wheel.step(-100, 1300), -1)
})

test('the tail of a trackpad flick moves no further', () => {
  const wheel = new Wheel()
  const steps = Array.from({ length: 60 }, (_, at) => wheel.step(120 * 0.93 ** at, at * 16))
  assert.equal(steps.filter((step) => step === 1).length, 1)
})

test('small movements add up', () => {
  const wheel = new Wheel()
  assert.deepEqual([10, 10, 10, 10].map((delta, at) => wheel.step(delta, at * 20)), [0, 0, 0, 1])
})
