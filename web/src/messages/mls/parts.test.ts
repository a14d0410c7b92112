/** The small parts: safety numbers, sealed bytes, recovery codes, signals, payloads. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, Malformed, toBase64, toUtf8 } from '../../verify/bytes.ts'
import { readPayload, writePayload } from '../payload.ts'
import { change, join, newGroup, receive } from './group.ts'
import { deviceOf, newPackage } from './packages.ts'
import { copyOf, keyOfCode, newCode, readCode, writeCode } from './recovery.ts'
import { inGroups, isSafetyCode, safetyCode, safetyNumber } from './safety.ts'
import { importKey, newKey, openBytes, padme, sealBytes } from './sealed.ts'
import { openSignal, sealSignal } from './signals.ts'
import { newSigningKey } from './suite.ts'
import { readVector, vectorSize } from './wire.ts'

const ADA = { personId: '00000000-0000-7000-8000-0000000000aa', keys: [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)] }
const BEA = { personId: '00000000-0000-7000-8000-0000000000bb', keys: [new Uint8Array(32).fill(3)] }

test('a safety number is the same for both and in any order of keys', () => {
  const number = safetyNumber(ADA, BEA)
  assert.match(number, /^\d{60}$/)
  assert.equal(safetyNumber(BEA, { ...ADA, keys: [...ADA.keys].reverse() }), number)
  assert.equal(inGroups(number).length, 12)
  // Another client computes the same: this one is written down.
  assert.equal(number, '476764012873840166095848754532854962463278212469240244247626')
})

test('a new device changes the half of its person only', () => {
  const [before, after] = [safetyNumber(ADA, BEA), safetyNumber(ADA, { ...BEA, keys: [...BEA.keys, new Uint8Array(32).fill(4)] })]
  assert.equal(before.slice(0, 30), after.slice(0, 30))
  assert.notEqual(before.slice(30), after.slice(30))
})

test('a scanned code is right, wrong, or none', () => {
  const number = safetyNumber(ADA, BEA)
  assert.equal(isSafetyCode(safetyCode(number), number), true)
  assert.equal(isSafetyCode(safetyCode(number.replace(/^./, (digit) => String((Number(digit) + 1) % 10))), number), false)
  assert.equal(isSafetyCode('https://example.org/', number), null)
})

test('a recovery code comes back as it was written, and a slip is noticed', () => {
  for (let each = 0; each < 50; each++) {
    const code = newCode()
    const written = writeCode(code)
    assert.match(written, /^([0-9A-HJKMNP-TV-Z]{4}-){6}[0-9A-HJKMNP-TV-Z]{4}$/)
    assert.deepEqual(readCode(written), code)
    assert.deepEqual(readCode(` ${written.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')} `), code)
  }
  const written = writeCode(fromHex('00112233445566778899aabbccddeeff'))
  assert.equal(written, '008J-4CT4-ANK7-F24S-NAXW-SQFE-ZWKG')
  for (const wrong of [written.replace('8J', '8K'), written.slice(0, -1), `${written}0`, written.replace('F24S', 'F2!S'), '']) assert.equal(readCode(wrong), null)
})

test('only the code of the same person opens the copy', async () => {
  const code = newCode()
  const sealed = await sealBytes(await keyOfCode(code, ADA.personId), toUtf8('history'), copyOf(ADA.personId))
  assert.deepEqual(await openBytes(await keyOfCode(code, ADA.personId), sealed, copyOf(ADA.personId)), toUtf8('history'))
  await assert.rejects(openBytes(await keyOfCode(code, BEA.personId), sealed, copyOf(BEA.personId)))
  await assert.rejects(openBytes(await keyOfCode(newCode(), ADA.personId), sealed, copyOf(ADA.personId)))
  sealed[20] = sealed[20]! ^ 1
  await assert.rejects(openBytes(await keyOfCode(code, ADA.personId), sealed, copyOf(ADA.personId)))
})

test('sealed sizes tell little, and cost little', async () => {
  const key = await importKey(newKey())
  const sizes = await Promise.all([1, 60, 250].map(async (size) => (await sealBytes(key, new Uint8Array(size), new Uint8Array())).length))
  assert.equal(new Set(sizes).size, 1)
  for (const size of [257, 5_000, 123_456, 8_000_000]) {
    assert.ok(padme(size) >= size && padme(size) <= size * 1.12)
    assert.equal(padme(padme(size)), padme(size))
  }
})

test('a signal is opened by a member of the epoch, and says who sent it', async () => {
  const device = async () => deviceOf({ personId: crypto.randomUUID(), deviceId: crypto.randomUUID() }, await newSigningKey())
  const [ada, bea] = [await device(), await device()]
  const own = await newPackage(bea, Date.now())
  const made = await change(await newGroup(ada, await newPackage(ada, Date.now()), async () => true), ada, [own.bytes], [])
  const beas = await join(made.welcome!, own, bea, async () => true)
  const body = await sealSignal(made.group, ada, { kind: 'typing', isOn: true })
  assert.ok(body.length < 1024)
  const got = await openSignal(beas, body)
  assert.equal(got?.from.deviceId, ada.deviceId)
  assert.deepEqual(got?.signal, { kind: 'typing', isOn: true })
  const broken = body.slice()
  broken[40] = broken[40]! ^ 1
  await assert.rejects(openSignal(beas, broken))
  const later = await change(made.group, ada, [], [])
  assert.equal(await openSignal((await receive(beas, later.commit)).group, body), null)
})

test('payloads come back as they were, and others are refused', () => {
  const id = crypto.randomUUID()
  const file = { id, key: toBase64(newKey()), type: 'image/jpeg', size: 1000 }
  const contents = [
    { kind: 'text', text: 'Grüße 👋' }, { kind: 'clip', clip_id: id }, { kind: 'photo', file, width: 10, height: 20, text: 'Look' },
    { kind: 'voice', file: { ...file, type: 'audio/webm;codecs=opus' }, seconds: 3.5, bars: [0, 0.5, 1] }, { kind: 'recall', target: id }, { kind: 'name', name: 'Us' },
  ] as const
  for (const content of contents) {
    const payload = { v: 1 as const, id, at: 1_700_000_000_000, content: structuredClone(content) as never }
    assert.deepEqual(readPayload(writePayload(payload)), payload)
  }
  const read = (told: object) => readPayload(toUtf8(JSON.stringify({ v: 1, id, at: 1, ...told })))
  assert.deepEqual(read({ kind: 'hologram', depth: 3 }).content, { kind: 'unknown' })
  const wrong = [
    { kind: 'text', text: '' }, { kind: 'text', text: 'x'.repeat(4001) }, { kind: 'text' }, { kind: 'clip', clip_id: '../me' }, { kind: 'photo', file: { ...file, type: 'text/html' }, width: 1, height: 1 },
    { kind: 'photo', file, width: 0, height: 1 }, { kind: 'voice', file, seconds: 1, bars: [] }, { kind: 'recall', target: 7 }, { v: 2, kind: 'text', text: 'x' }, { id: 'x', kind: 'text', text: 'x' },
  ]
  for (const told of wrong) assert.throws(() => read(told), Malformed, JSON.stringify(told))
  assert.throws(() => readPayload(toUtf8('[]')), Malformed)
  assert.throws(() => readPayload(new Uint8Array([0xff])), Malformed)
})

test('vectors are as long as RFC 9420 says', () => {
  for (const [head, length] of [['3f', 63], ['4040', 64], ['7fff', 16383], ['80004000', 16384]] as const) {
    const bytes = Uint8Array.from([...fromHex(head), ...new Uint8Array(length)])
    const [content, end] = readVector(bytes, 0)
    assert.equal(content.length, length)
    assert.equal(end, vectorSize(length))
    assert.throws(() => readVector(bytes.slice(0, -1), 0), Malformed)
  }
  assert.throws(() => readVector(fromHex('c0'), 0), Malformed)
})
