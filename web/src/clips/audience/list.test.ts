import assert from 'node:assert/strict'
import { test } from 'node:test'
import { choiceOf, isSame, isWhole, pick, wishOf, withPeople, type Chosen } from './list.ts'

const ana = { handle: 'ana', display_name: 'Ana', avatar_url: null }
const all: Chosen = { audience: 'everyone', list: null }

test('some friends are friends with a list', () => {
  const some = pick(all, 'some')
  assert.deepEqual(some, { audience: 'friends', list: { kind: 'share-with', people: [] } })
  assert.equal(choiceOf(some), 'some')
  assert.equal(isWhole(some), false)
  const chosen = withPeople(some, [ana])
  assert.equal(isWhole(chosen), true)
  assert.deepEqual(wishOf(chosen.list), { kind: 'share-with', handles: ['ana'] })
})

test('whom a clip is hidden from stays between everyone and friends', () => {
  const hidden = withPeople(all, [ana])
  assert.deepEqual(wishOf(hidden.list), { kind: 'hide-from', handles: ['ana'] })
  assert.equal(choiceOf(hidden), 'everyone')
  assert.deepEqual(pick(hidden, 'friends').list, hidden.list)
  assert.equal(pick(hidden, 'only-me').list, null)
  assert.equal(pick(pick(hidden, 'some'), 'everyone').list, null)
})

test('hidden from nobody is no list', () => {
  assert.equal(withPeople(withPeople(all, [ana]), []).list, null)
})

test('lists are the same by whom they name', () => {
  const other = { ...ana, display_name: 'Other' }
  assert.equal(isSame({ kind: 'hide-from', people: [ana] }, { kind: 'hide-from', people: [other] }), true)
  assert.equal(isSame({ kind: 'hide-from', people: [ana] }, null), false)
})
