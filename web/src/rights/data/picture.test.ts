import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pictureOf } from './picture.ts'

const NOW = Date.UTC(2026, 10, 26, 12)

test('a young account is shown by days, an older one by months', () => {
  const young = pictureOf({ days: [{ day: '2026-11-26', counts: { self: 2, export: 1 } }, { day: '2026-10-28', counts: { self: 1 } }] }, NOW)
  assert.equal(young.span, 'days')
  assert.equal(young.bars.length, 30)
  assert.deepEqual([young.bars[0]?.name, young.bars.at(-1)?.name], ['2026-10-28', '2026-11-26'])
  assert.deepEqual([young.most, young.totals.self, young.totals.export], [3, 3, 1])
  const old = pictureOf({ days: [{ day: '2026-11-26', counts: { staff: 1 } }, { day: '2025-12-31', counts: { automated: 4 } }, { day: '2025-11-30', counts: { self: 9 } }] }, NOW)
  assert.equal(old.span, 'months')
  assert.deepEqual([old.bars[0]?.name, old.bars.at(-1)?.name, old.bars.length], ['2025-12', '2026-11', 12])
  // What is older than the picture is not in it.
  assert.deepEqual(old.totals, { self: 0, automated: 4, staff: 1, legal: 0, export: 0 })
})

test('nothing yet is an empty picture', () => {
  assert.deepEqual([pictureOf({ days: [] }, NOW).most, pictureOf({ days: [] }, NOW).span], [0, 'days'])
})
