import assert from 'node:assert/strict'
import { test } from 'node:test'
import { begun, mentionParts } from './text.ts'

const handles = (text: string, known?: string[]) => mentionParts(text, known).flatMap((part) => part.handle ?? [])

test('a handle is found as the cell finds it', () => {
  const cases: [string, string[]][] = [
    ['@ana and @Ben.', ['ana', 'ben']],
    ['(@ana) @ana', ['ana', 'ana']],
    ['mail@ana.example', []],
    ['a/@ana', []],
    ['@an', []],
    ['@a.b_c!', ['a.b_c']],
    [`@${'a'.repeat(25)}`, []],
    ["@ana's", ['ana']],
    ['@@ana', []],
    ['@anaé', []],
    ['@123', []],
  ]
  for (const [text, found] of cases) assert.deepEqual(handles(text), found, text)
})

test('the parts are the text again', () => {
  for (const text of ['', 'no one', '@ana...', 'a @ben b @ben.c', '@ana@ben'])
    assert.equal(mentionParts(text).map((part) => part.text).join(''), text)
})

test('who does not want to be mentioned is no link', () => {
  assert.deepEqual(handles('@ana @ben', ['ben']), ['ben'])
})

test('what one has begun to write is found before the cursor', () => {
  assert.deepEqual(begun('hello @an', 9), { at: 6, begins: 'an' })
  assert.deepEqual(begun('@', 1), { at: 0, begins: '' })
  assert.equal(begun('mail@an', 7), null)
  assert.equal(begun('@ana is', 7), null)
  assert.deepEqual(begun('@ana is', 3), { at: 0, begins: 'an' })
})
