import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNight, target, whoOf } from './words.ts'

const person = (name: string) => ({ handle: name.toLowerCase(), display_name: name, avatar_url: null })
const [ana, ben, cleo] = [person('Ana'), person('Ben'), person('Cleo')]

test('up to three people are named, of more two', () => {
  assert.deepEqual(whoOf({ by: ana, others: [], people: 1 }), { names: ['Ana'], left: 0 })
  assert.deepEqual(whoOf({ by: ana, others: [ben], people: 2 }), { names: ['Ana', 'Ben'], left: 0 })
  assert.deepEqual(whoOf({ by: ana, others: [ben, cleo], people: 3 }), { names: ['Ana', 'Ben', 'Cleo'], left: 0 })
  assert.deepEqual(whoOf({ by: ana, others: [ben, cleo], people: 12 }), { names: ['Ana', 'Ben'], left: 10 })
})

test('beyond a hundred nobody counts', () => {
  assert.deepEqual(whoOf({ by: ana, others: [ben, cleo], people: 100 }), { names: ['Ana', 'Ben'], left: null })
})

test('somebody who is leaving is counted and not named', () => {
  assert.deepEqual(whoOf({ by: ana, others: [], people: 2 }), { names: ['Ana'], left: 1 })
})

test('what the cell itself tells is of nobody', () => {
  assert.deepEqual(whoOf({ by: null, others: [], people: 0 }), { names: [], left: 0 })
})

test('news lead to what they are about', () => {
  assert.equal(target('like', 'ana', 'c1'), '/c/c1')
  assert.equal(target('comment-reply', 'ana', 'c1'), '/c/c1?comments=1')
  assert.equal(target('comment-held', 'ana', 'c1'), '/c/c1?comments=1')
  assert.equal(target('follow', 'ana', null), '/@ana')
  assert.equal(target('follow-request', 'ana', null), '/requests')
  assert.equal(target('data-read', undefined, null), '/settings/data')
  assert.equal(target('operator-change', undefined, null), '/settings/data')
  assert.equal(target('withheld', undefined, 'c1', 'n1'), '/notices/n1')
  assert.equal(target('withheld-ended', undefined, null), '/notices/')
})

test('a night begins at ten and ends at seven', () => {
  assert.deepEqual([21, 22, 0, 6, 7, 12].map((hour) => isNight(hour)), [false, true, true, true, false, false])
})
