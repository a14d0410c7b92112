import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileFault, isTooLong, LIMITS } from './check.ts'
import { clock, coverInside, fineClock, isWhole, keptMs, moveEnd, moveStart, SHORTEST_MS, whole } from './trim.ts'

test('handles never cross, and never leave the file', () => {
  const trim = { startMs: 2000, endMs: 6000 }
  assert.equal(moveStart(trim, 9000).startMs, 6000 - SHORTEST_MS)
  assert.equal(moveStart(trim, -5).startMs, 0)
  assert.equal(moveEnd(trim, 0, 10_000).endMs, 2000 + SHORTEST_MS)
  assert.equal(moveEnd(trim, 99_999, 10_000).endMs, 10_000)
})

test('a file shorter than the shortest clip is kept whole', () => {
  const trim = whole(600)
  assert.deepEqual(moveStart(trim, 300), { startMs: 0, endMs: 600 })
  assert.deepEqual(moveEnd(trim, 100, 600), { startMs: 0, endMs: 600 })
  assert.ok(isWhole(trim, 600))
})

test('the cover stays inside what is kept', () => {
  const trim = { startMs: 2000, endMs: 6000 }
  assert.deepEqual([0, 3000, 9000].map((ms) => coverInside(ms, trim)), [2000, 3000, 6000])
})

test('three minutes pass and more does not, unless it is cut', () => {
  assert.equal(isTooLong(180_040, LIMITS), false)
  assert.equal(isTooLong(181_000, LIMITS), true)
  assert.equal(isTooLong(keptMs({ startMs: 60_000, endMs: 200_000 }), LIMITS), false)
})

test('a file is refused before a byte is sent', () => {
  assert.equal(fileFault({ size: 1, type: 'video/mp4' }, LIMITS), null)
  assert.equal(fileFault({ size: 1, type: '' }, LIMITS), null)
  assert.equal(fileFault({ size: 0, type: 'video/mp4' }, LIMITS), 'file-empty')
  assert.equal(fileFault({ size: LIMITS.max_upload_bytes + 1, type: 'video/mp4' }, LIMITS), 'file-too-large')
  assert.equal(fileFault({ size: 1, type: 'image/png' }, LIMITS), 'not-a-video')
})

test('times read as a person reads them', () => {
  assert.deepEqual([0, 9_999, 83_456, -1].map(clock), ['0:00', '0:09', '1:23', '0:00'])
  assert.equal(fineClock(83_456), '1:23.4')
})
