import assert from 'node:assert/strict'
import { test } from 'node:test'
import { added, codeInAddress, DAYS, filled, readDays, reported } from './days.ts'

test('minutes add up by day, and only the newest fourteen days stay', () => {
  let days = added({}, '2026-11-26', 90_000)
  days = added(days, '2026-11-26', 40_000)
  assert.deepEqual(reported(days), [{ day: '2026-11-26', minutes: 2 }])
  for (let day = 1; day <= 20; day++) days = added(days, `2026-12-${String(day).padStart(2, '0')}`, 60_000)
  assert.equal(Object.keys(days).length, DAYS)
  assert.equal(reported(days)[0]?.day, '2026-12-20')
  assert.equal(reported(days).at(-1)?.day, '2026-12-07')
})

test('a day has no more minutes than a day', () => {
  assert.equal(reported({ '2026-11-26': 99 * 3_600_000 })[0]?.minutes, 1440)
})

test('what is kept may be anything', () => {
  for (const text of [null, '', 'null', '7', '[]', '{"x":1}', '{"2026-11-26":"1"}', '{"2026-11-26":-1}', '{']) assert.deepEqual(readDays(text), {}, text ?? 'null')
  assert.deepEqual(readDays('{"2026-11-26":5}'), { '2026-11-26': 5 })
})

test('fourteen days are shown, and those without a report are not called zero', () => {
  const shown = filled([{ day: '2026-11-26', minutes: 0 }, { day: '2026-11-13', minutes: 9 }], '2026-11-26')
  assert.equal(shown.length, 14)
  assert.deepEqual(shown[0], { day: '2026-11-13', minutes: 9 })
  assert.deepEqual(shown.at(-1), { day: '2026-11-26', minutes: 0 })
  assert.equal(shown[5]?.minutes, null)
})

test('a scanned address gives its code and nothing else does', () => {
  assert.equal(codeInAddress('#ab2d-EFGH'), 'AB2D-EFGH')
  for (const hash of ['', '#', '#family', '#AB1D-EFGH', '#AB2D-EFGHJ', '#<b>']) assert.equal(codeInAddress(hash), '', hash)
})
