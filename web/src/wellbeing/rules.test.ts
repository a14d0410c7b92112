import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dayOf, halt, isBetween, isByHand, readHeld, readSpent, readWishes, REST_MS, sleepsUntil, stop, told, today, UNSPENT, watched, WISHES, type Held } from './rules.ts'

const MIN = 60_000
const at = (time: string, day = '2026-11-26') => new Date(`${day}T${time}:00`).getTime()
const limited = { ...WISHES, limitMin: 30 }

test('minutes add up through a day, and a new day begins with none', () => {
  let spent = watched(UNSPENT, 20 * MIN, at('10:00'))
  spent = watched(spent, 9 * MIN, at('19:00'))
  assert.equal(spent.ms, 29 * MIN)
  assert.equal(isByHand(limited, spent, at('19:00'), false), false)
  spent = watched(spent, MIN, at('19:02'))
  assert.equal(isByHand(limited, spent, at('19:02'), false), true)
  assert.equal(isByHand(limited, spent, at('00:01', '2026-11-27'), false), false)
  assert.equal(today(spent, at('00:01', '2026-11-27')).ms, 0)
})

test('the limit is told once a day, and clips go on waiting for a tap', () => {
  let spent = watched(UNSPENT, 30 * MIN, at('19:00'))
  assert.equal(halt(limited, spent, at('19:00'), false), 'limit')
  spent = told(spent, 'limit', limited, at('19:00'))
  assert.equal(halt(limited, spent, at('19:01'), false), null)
  assert.equal(isByHand(limited, spent, at('19:01'), false), true)
  spent = watched(spent, 31 * MIN, at('20:00', '2026-11-27'))
  assert.equal(halt(limited, spent, at('20:00', '2026-11-27'), false), 'limit')
})

test('without a limit nothing is said', () => {
  const spent = watched(UNSPENT, 600 * MIN, at('19:00'))
  assert.equal(halt(WISHES, spent, at('19:00'), false), null)
  assert.equal(isByHand(WISHES, spent, at('19:00'), false), false)
})

test('a break is suggested after minutes in a row, and again after as many', () => {
  const wishes = { ...WISHES, breakMin: 20 }
  let spent = watched(UNSPENT, 19 * MIN, at('10:19'))
  assert.equal(halt(wishes, spent, at('10:19'), false), null)
  spent = watched(spent, MIN, at('10:20'))
  assert.equal(halt(wishes, spent, at('10:20'), false), 'break')
  spent = told(spent, 'break', wishes, at('10:20'))
  assert.equal(halt(wishes, spent, at('10:21'), false), null)
  spent = watched(spent, 20 * MIN, at('10:40'))
  assert.equal(halt(wishes, spent, at('10:40'), false), 'break')
})

test('who was away for a while has had a break', () => {
  const wishes = { ...WISHES, breakMin: 20 }
  const spent = watched(UNSPENT, 19 * MIN, at('10:19'))
  const later = watched(spent, 2 * MIN, at('10:19') + REST_MS + 2 * MIN)
  assert.equal(later.rowMs, 2 * MIN)
  assert.equal(halt(wishes, later, later.until, false), null)
})

test('quiet hours lie around midnight, and are on for minors until they choose', () => {
  for (const [time, quiet] of [['21:59', false], ['22:00', true], ['00:00', true], ['06:59', true], ['07:00', false]] as const) {
    assert.equal(isBetween(at(time), '22:00', '07:00'), quiet, time)
    assert.equal(isByHand(WISHES, UNSPENT, at(time), true), quiet, time)
    assert.equal(isByHand(WISHES, UNSPENT, at(time), false), false, time)
    assert.equal(isByHand({ ...WISHES, quiet: false }, UNSPENT, at(time), true), false, time)
    assert.equal(isByHand({ ...WISHES, quiet: true }, UNSPENT, at(time), false), quiet, time)
  }
  assert.equal(isBetween(at('12:00'), '09:00', '17:00'), true)
  assert.equal(isBetween(at('17:00'), '09:00', '17:00'), false)
})

test('quiet hours are told once a night, also when the night goes over midnight', () => {
  let spent = UNSPENT
  assert.equal(halt(WISHES, spent, at('23:00'), true), 'quiet')
  spent = told(spent, 'quiet', WISHES, at('23:00'))
  assert.equal(halt(WISHES, spent, at('23:30'), true), null)
  assert.equal(halt(WISHES, spent, at('01:00', '2026-11-27'), true), null)
  assert.equal(halt(WISHES, spent, at('22:30', '2026-11-27'), true), 'quiet')
})

test('a clock that was set back does not keep a row for ever', () => {
  const spent = watched(UNSPENT, 19 * MIN, at('10:19', '2026-11-29'))
  assert.equal(today(spent, at('10:00')).rowMs, 0)
})

test('what is kept may be anything, and is then the default', () => {
  for (const text of [null, '', 'null', '7', '{', '[]', '{"limitMin":31,"breakMin":"x","quiet":1,"quietFrom":"25:00"}']) {
    assert.deepEqual(readWishes(text), WISHES, text ?? 'null')
    assert.deepEqual(readSpent(text), UNSPENT, text ?? 'null')
  }
  const wishes = { limitMin: 45, breakMin: 20, quiet: true, quietFrom: '21:30', quietTo: '06:00' }
  assert.deepEqual(readWishes(JSON.stringify(wishes)), wishes)
  const spent = watched(UNSPENT, 5, at('10:00'))
  assert.deepEqual(readSpent(JSON.stringify(spent)), spent)
  assert.equal(spent.day, dayOf(at('10:00')))
})

const held: Held = { daily_min: 45, sleep: [{ begins: '21:30', ends: '07:00' }], keeps_private: false, for_you_off: false }

test('what a family has set stops, and adds to what one wishes oneself', () => {
  const spent = watched(UNSPENT, 44 * MIN, at('10:00'))
  assert.equal(stop(held, spent, at('10:00')), null)
  assert.equal(stop(held, watched(spent, MIN, at('10:01')), at('10:01')), 'family-limit')
  assert.equal(stop(held, watched(spent, MIN, at('10:01')), at('10:01', '2026-11-27')), null)
  assert.equal(stop(null, watched(spent, 600 * MIN, at('20:01')), at('20:01')), null)
  // One's own limit, tighter than theirs, is told as ever.
  assert.equal(halt(limited, spent, at('10:00'), true), 'limit')
})

test('hours of sleep of a family lie around midnight, several of them too', () => {
  for (const [time, why] of [['21:29', null], ['21:30', 'family-sleep'], ['03:00', 'family-sleep'], ['06:59', 'family-sleep'], ['07:00', null]] as const)
    assert.equal(stop(held, UNSPENT, at(time)), why, time)
  const two = { ...held, sleep: [...held.sleep, { begins: '12:00', ends: '13:00' }] }
  assert.equal(stop(two, UNSPENT, at('12:30')), 'family-sleep')
  assert.equal(sleepsUntil(two, at('12:30')), '13:00')
  assert.equal(sleepsUntil(two, at('23:00')), '07:00')
})

test('what is kept of a family may be anything, and is then nothing', () => {
  for (const text of [null, '', 'null', '7', '[]', '{"person":7,"held":{}}', '{"person":"a"}', '{"held":{"daily_min":5}}']) assert.equal(readHeld(text), null, text ?? 'null')
  assert.deepEqual(readHeld(JSON.stringify({ person: 'a', held })), { person: 'a', held })
  const odd = readHeld('{"person":"a","held":{"daily_min":"x","sleep":[{"begins":"25:00","ends":"07:00"},7,null],"keeps_private":1}}')
  assert.deepEqual(odd, { person: 'a', held: { daily_min: null, sleep: [], keeps_private: false, for_you_off: false } })
})
