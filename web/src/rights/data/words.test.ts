import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { JournalEntry } from '../../app/api/shapes.ts'
import { CLASSES, KINDS } from '../../verify/entry.ts'
import { fieldsOf, said } from './words.ts'

const words = JSON.parse(readFileSync(new URL('../../app/i18n/rights.en.json', import.meta.url), 'utf8')) as Record<string, string>
const entry = (fields: Partial<JournalEntry>): JournalEntry => ({
  n: 1, kind: 'grant', class: 'self', at: '2026-11-26T12:00:00Z', actor: 'you', purpose: 'session', columns: ['*'], expires: null, note: null, leaf: '', nonce: '', opening: '', index: 1, ...fields,
})
const told = (fields: Partial<JournalEntry>) => words[said(entry(fields)).keys.find((key) => key in words) ?? ''] ?? ''

test('each kind by each class has a sentence, also for a purpose of a later version', () => {
  for (const kind of KINDS.slice(1)) {
    for (const name of CLASSES.slice(1) as JournalEntry['class'][]) assert.ok(told({ kind, class: name, purpose: 'of-tomorrow' }).length > 10, `${kind} ${name}`)
  }
  assert.ok(told({ kind: 'of-tomorrow', class: 'staff', purpose: null }).length > 10)
})

test('what is known best is said best', () => {
  assert.match(told({ note: 'Chrome on Android' }), /\{note\}/)
  assert.doesNotMatch(told({ note: null }), /\{note\}/)
  assert.notEqual(told({ kind: 'read', class: 'staff', purpose: 'support' }), told({ kind: 'read', class: 'legal', purpose: 'order' }))
})

test('a guardian who looked is named as long as they are paired', () => {
  const look = entry({ kind: 'read', class: 'automated', purpose: 'family', actor: 'a-pairing', columns: ['family.time'] })
  const named = said(look, new Map([['a-pairing', 'Paula']]))
  assert.match(words[named.keys.find((key) => key in words) ?? ''] ?? '', /\{actor\}/)
  assert.equal(named.params['actor'], 'Paula')
  assert.doesNotMatch(told(look), /\{actor\}/)
})

test('fields are named, or all', () => {
  assert.equal(fieldsOf(entry({})), null)
  assert.deepEqual(fieldsOf(entry({ columns: ['contact.email'] })), ['contact.email'])
})
