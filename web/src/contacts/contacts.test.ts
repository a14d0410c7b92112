import assert from 'node:assert/strict'
import test from 'node:test'
import { callingCode, codeOf, emailOf, fromPicker, fromText, fromVCard, phoneOf } from './numbers.ts'
import { among, FEWEST, type Filter } from './filter.ts'

const texts = (found: { contacts: { text: string }[] }) => found.contacts.map((one) => one.text)

test('numbers in their many spellings are one number', () => {
  for (const typed of ['+33 6 12 34 56 78', '0033612345678', '06 12 34 56 78', '06.12.34.56.78', '+33 (0)6 12 34 56 78', '06‑12‑34‑56‑78', '06\u202f12\u00a034 56 78']) assert.equal(phoneOf(typed, '+33'), '+33612345678', typed)
  assert.equal(phoneOf('(202) 555-0123', '+1'), '+12025550123')
  assert.equal(phoneOf('06 1234 5678', '+39'), '+390612345678')
  assert.equal(phoneOf('06 12 34 56 78', ''), '')
  for (const typed of ['12', '+0123456789', 'hello', '+1234567890123456']) assert.equal(phoneOf(typed, '+33'), null, typed)
})

test('a region has its calling code, a number its own', () => {
  assert.equal(callingCode('FR'), '+33')
  assert.equal(callingCode('XX'), '')
  assert.equal(codeOf('+6591234567'), '+65')
  assert.equal(codeOf('+85221234567'), '+852')
  assert.equal(codeOf('+12025550123'), '+1')
})

test('mail addresses are looked for as the cell finds them', () => {
  assert.equal(emailOf(' Ana@Example.ORG '), 'ana@example.org')
  assert.equal(emailOf('ana@example'), null)
})

test('text is read line by line, with the names beside the numbers', () => {
  const found = fromText('Ana, 06 12 34 56 78, ana@example.org\nBen <ben@example.org>\n+65 9123 4567\nCleo\t(202) 555-0123\nAna again 0612345678\n', '+33')
  assert.deepEqual(texts(found), ['phone:+33612345678', 'email:ana@example.org', 'email:ben@example.org', 'phone:+6591234567', 'phone:+332025550123'])
  assert.deepEqual(found.contacts.map((one) => one.name), ['Ana', 'Ana', 'Ben', '', 'Cleo'])
  assert.equal(fromText('06 12 34 56 78\n+33612345679', '').without, 1)
})

test('a vCard is read as phones write it', () => {
  const card = [
    'BEGIN:VCARD', 'VERSION:3.0', 'N:Rossi;Dana;;;', 'FN:Dana Rossi', 'item1.TEL;type=CELL;type=pref:+39 06 1234 5678', 'EMAIL;TYPE=INTERNET:Dana@Exam', ' ple.org', 'END:VCARD',
    'BEGIN:VCARD', 'VERSION:2.1', 'TEL;CELL:0612345678', 'FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=89lo=C3=', '=AFse', 'END:VCARD',
    'BEGIN:VCARD', 'VERSION:4.0', 'FN:No\\, number', 'TEL;VALUE=uri:tel:+1-202-555-0123;ext=5', 'END:VCARD', '',
  ].join('\r\n')
  const found = fromVCard(card, '+33')
  assert.deepEqual(found.contacts, [
    { text: 'phone:+390612345678', name: 'Dana Rossi' },
    { text: 'email:dana@example.org', name: 'Dana Rossi' },
    { text: 'phone:+33612345678', name: 'Éloïse' },
    { text: 'phone:+12025550123', name: 'No, number' },
  ])
})

test('what the browser’s picker gives is taken', () => {
  assert.deepEqual(texts(fromPicker([{ name: ['Ana'], tel: ['06 12 34 56 78'], email: ['a@b.example'] }], '+33')), ['phone:+33612345678', 'email:a@b.example'])
})

test('wanted buckets hide among as many others, the same each time', () => {
  const filter: Filter = { edition: '1', people: 100_000, partBits: 0, bucketBits: 11, bucketBytes: 48, round: 1 }
  const others = crypto.getRandomValues(new Uint32Array(4096))
  const none = among([], filter, others)
  assert.equal(none.length, FEWEST)
  assert.deepEqual(among([], filter, others), none)
  const some = among([5, 700], filter, others)
  assert.equal(some.length, FEWEST)
  assert.ok(some.includes(5) && some.includes(700))
  assert.ok(some.filter((one) => !none.includes(one)).length <= 2)
  assert.equal(among(Array.from({ length: 13 }, (_, i) => i * 9), filter, others).length, 2 * FEWEST)
  assert.deepEqual(among([1], { ...filter, bucketBits: 2 }, others), [0, 1, 2, 3])
  assert.deepEqual(among([], { ...filter, bucketBits: 0 }, others), [0])
})
