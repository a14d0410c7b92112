import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rounded } from './left.ts'

test('a time is told more coarsely the longer it is, and never shorter than it is', () => {
  const told = [0, 9, 10, 11, 54, 56, 60, 61, 3600].map((leftS) => rounded(leftS))
  assert.deepEqual(
    told.map(({ unit, count }) => `${unit} ${count}`),
    ['soon 0', 'soon 0', 'seconds 10', 'seconds 15', 'seconds 55', 'minutes 1', 'minutes 1', 'minutes 2', 'minutes 60'],
  )
})
