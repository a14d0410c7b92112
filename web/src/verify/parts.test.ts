/** The parts of the verifier, over cases that the cell's own code wrote (tests/vectors). */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { compare, fromBase64, Malformed, toBase64, toUtf8 } from './bytes.ts'
import { labelOf, parseCanonical, parsePerson, parseSeal } from './entry.ts'
import { isIncluded } from './merkle.ts'
import { ED25519, isSigned, parseCheckpoint, parseKey, parseNote, signaturesBy } from './note.ts'
import { COSIGNATURE } from './note.ts'
import { isEnough, parsePolicy } from './policy.ts'
import { isProved, parseAbsence, whereIs } from './seal.ts'

function cases(name: string) {
  return JSON.parse(readFileSync(new URL(`../../../tests/vectors/browser/${name}`, import.meta.url), 'utf8'))
}

function isRefused(read: () => unknown): boolean {
  try {
    read()
    return false
  } catch (error) {
    assert(error instanceof Malformed, String(error))
    return true
  }
}

test('paths prove their entry and nothing else', () => {
  for (const { index, size, leaf, path, root } of cases('merkle.json')) {
    const hashes: Uint8Array[] = path.map((hash: string) => fromBase64(hash))
    const [own, top] = [fromBase64(leaf), fromBase64(root)]
    assert(isIncluded(index, size, own, hashes, top), `${index} of ${size}`)
    assert(!isIncluded(index + 1, size, own, hashes, top))
    assert(!isIncluded(index - 1, size, own, hashes, top))
    assert(!isIncluded(index, size, own, [...hashes, top], top))
    assert(!isIncluded(index, size, own, hashes, own) || size === 1)
    if (size === 1) continue
    assert(!isIncluded(index, size, own, hashes.slice(1), top))
    assert(!isIncluded(index, size, own, hashes.slice(0, -1), top))
    assert(!isIncluded(index, size, own, [hashes[0]!.slice(1), ...hashes.slice(1)], top))
  }
})

test('a tree may be larger than 32 bits count', () => {
  const hash = fromBase64('A'.repeat(43) + '=')
  assert(!isIncluded(2 ** 40, 2 ** 41, hash, Array(41).fill(hash), hash))
})

test('notes are taken apart, or refused', async () => {
  const { good, malformed, keys } = cases('notes.json')
  const known = keys.map((key: string) => parseKey(key, [ED25519, COSIGNATURE]))
  let verified = 0
  for (const { name, note, text } of good) {
    const parsed = parseNote(note)
    assert.equal(parsed.text, text, name)
    assert.deepEqual(parseNote(toUtf8(note)), parsed)
    for (const key of known) {
      for (const signature of signaturesBy(key, parsed)) {
        if (key.kind !== ED25519) continue
        assert(await isSigned(key, parsed.text, signature), name)
        assert(!(await isSigned(key, `${parsed.text} `, signature)), name)
        verified++
      }
    }
  }
  assert.equal(verified, 3)
  for (const { name, note } of malformed) assert(isRefused(() => parseNote(note)), name)
  assert(isRefused(() => parseNote('\ud800' + good[0].note)), 'half a character')
  assert(isRefused(() => parseNote(new Uint8Array([0xff]))), 'no UTF-8')
})

test('malformed keys and checkpoints are refused', () => {
  const { 'malformed keys': keys, 'malformed checkpoints': heads } = cases('notes.json')
  for (const key of keys) assert(isRefused(() => parseKey(key, [ED25519, COSIGNATURE])), key)
  for (const head of heads) assert(isRefused(() => parseCheckpoint(head)), head)
})

test('policies say who is enough', () => {
  const { enough, malformed } = cases('policies.json')
  for (const { policy, passes } of enough) {
    const read = parsePolicy(policy)
    for (let bits = 0; bits < 8; bits++) {
      const names = ['W1', 'W2', 'W3'].filter((_, at) => bits & (1 << at))
      const wanted = passes.some((least: string[]) => least.every((name) => names.includes(name)))
      assert.equal(isEnough(read, names), wanted, `${names} in ${policy}`)
    }
  }
  for (const policy of malformed) assert(isRefused(() => parsePolicy(policy)), policy)
})

test('entries, labels and openings have one form', () => {
  const all = cases('entries.json')
  assert.equal(parsePerson(fromBase64(all.person)).kind, 'grant')
  const { root, ...seal } = parseSeal(fromBase64(all.seal))
  assert.deepEqual(seal, { minute: 5, first: 6, end: 7, count: 8 })
  assert.equal(root.length, 32)
  for (const entry of all.malformed) {
    assert(isRefused(() => parsePerson(fromBase64(entry))), entry)
    assert(isRefused(() => parseSeal(fromBase64(entry))), entry)
  }
  for (const [n, label] of Object.entries(all.labels)) {
    assert.equal(toBase64(labelOf(fromBase64(all.label_key), Number(n))), label)
  }
  for (const text of all.canonical) parseCanonical(toUtf8(text))
  for (const raw of all['not canonical']) assert(isRefused(() => parseCanonical(fromBase64(raw))), atob(raw))
})

test('absence is proved, or refused', () => {
  const all = cases('absence.json')
  for (const { name, proof, label, holds } of all.cases) {
    const asked = fromBase64(label)
    let answer = false
    try {
      const parsed = parseAbsence(proof)
      answer = isProved(parsed) && whereIs(asked, parsed) === 'absent'
    } catch (error) {
      assert(error instanceof Malformed, name)
    }
    assert.equal(answer, holds, name)
  }
  for (const value of all.malformed) assert(isRefused(() => parseAbsence(value)), JSON.stringify(value))
})

test('bytes have one spelling', () => {
  for (const text of ['A', 'AA', 'AAA', 'AB==', 'AAB=', 'AA==AA==', 'A===', 'AAA-', 'AA==\n', ' AAA', 5, null]) {
    assert(isRefused(() => fromBase64(text)), String(text))
  }
  for (let length = 0; length < 70; length++) {
    const bytes = crypto.getRandomValues(new Uint8Array(length))
    const text = Buffer.from(bytes).toString('base64')
    assert.equal(toBase64(bytes), text)
    assert.deepEqual(fromBase64(text, length), bytes)
    assert(isRefused(() => fromBase64(text, length + 1)))
  }
  assert(compare(toUtf8('ab'), toUtf8('abc')) < 0)
  assert(compare(toUtf8('b'), toUtf8('abc')) > 0)
})
