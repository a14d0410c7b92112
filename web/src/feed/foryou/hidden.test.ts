import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hide, hides, MOST_HIDDEN, NOTHING, readHidden, takeBack } from './hidden.ts'

const clip = { id: '1', author: { handle: 'ana' }, hashtags: ['Sea', 'sun'] }

test('a clip is hidden by itself, by its author or by one of its hashtags, and taken back', () => {
  for (const [kind, value] of [['clips', '1'], ['authors', 'ana'], ['hashtags', 'SEA']] as const) {
    const hidden = hide(NOTHING, kind, value)
    assert.equal(hides(hidden, clip), true, kind)
    assert.equal(hides(takeBack(hidden, kind, value.toLowerCase()), clip), false, kind)
  }
  assert.equal(hides(hide(NOTHING, 'authors', 'bo'), clip), false)
})

test('the list does not grow without end, nor twice with one name', () => {
  let hidden = NOTHING
  for (let at = 0; at < MOST_HIDDEN + 5; at += 1) hidden = hide(hide(hidden, 'clips', `${at}`), 'clips', `${at}`)
  assert.equal(hidden.clips.length, MOST_HIDDEN)
  assert.equal(hidden.clips[0], '5')
})

test('what is kept may be anything', () => {
  for (const text of [null, '', '7', '{', 'null', '{"authors":3,"clips":[4,"a"]}']) assert.deepEqual(readHidden(text).authors, [])
  assert.deepEqual(readHidden('{"clips":[4,"a"]}').clips, ['a'])
})
