import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fits, hasCredentials, isEightBit, isGain, isWanted, planOf, type Shape } from './shrink.ts'

const MB = 1_000_000
const film = (change: Partial<Shape>): Shape => ({ width: 2160, height: 3840, fps: 30, durationMs: 10_000, sizeBytes: 60 * MB, ...change })

test('a film of 2160 lines is made as large as the cell keeps it, upright or lying', () => {
  const upright = planOf(film({}))
  assert.deepEqual([upright?.width, upright?.height], [1080, 1920])
  const lying = planOf(film({ width: 3840, height: 2160 }))
  assert.deepEqual([lying?.width, lying?.height], [1920, 1080])
  assert.ok(upright && upright.sizeBytes > 10 * MB && upright.sizeBytes < 20 * MB)
})

test('sides come out even, and a film that is small enough keeps its own', () => {
  const odd = planOf(film({ width: 1999, height: 3001 }))
  assert.deepEqual([odd?.width, odd?.height], [1080, 1622])
  const small = planOf(film({ width: 720, height: 1280 }))
  assert.deepEqual([small?.width, small?.height], [720, 1280])
})

test('it may have more bits than any rendition of the cell, and more at 60 frames a second', () => {
  // The caps of the cell's ladder (src/luciole/cell/media/rungs.py).
  for (const [side, cap] of [[1080, 7.5], [720, 4], [540, 2.2]] as const) {
    const plan = planOf(film({ width: side, height: Math.round((side * 16) / 9) }))
    assert.ok(plan && plan.bitsPerSecond >= 1.2 * cap * MB, `${side}`)
  }
  const [slow, fast] = [planOf(film({})), planOf(film({ fps: 60 }))]
  assert.ok(slow && fast && fast.bitsPerSecond > 1.4 * slow.bitsPerSecond)
})

test('a film with few bits, or of which too little would be spared, goes as it is', () => {
  assert.equal(planOf(film({ sizeBytes: 15 * MB })), null)
  assert.equal(planOf(film({ durationMs: 300, sizeBytes: 1.2 * MB })), null)
  assert.equal(planOf(film({ durationMs: 0 })), null)
  // More than a phone should hold in its memory.
  assert.equal(planOf(film({ durationMs: 180_000, sizeBytes: 1200 * MB })), null)
  assert.ok(isGain(10 * MB, 7 * MB))
  assert.ok(!isGain(10 * MB, 8 * MB))
  assert.ok(!isGain(1.5 * MB, 0.9 * MB))
})

test('a film that is larger than the cell takes is made to fit, with some room, or is not tried', () => {
  // Three minutes of a phone at 1080 lines: more than 300 MB, and as large as the cell keeps it already.
  const phone = planOf(film({ width: 1080, height: 1920, durationMs: 100_000, sizeBytes: 340 * MB }))
  assert.ok(phone && fits(phone, 300 * MB))
  assert.ok(!fits(phone, phone.sizeBytes))
  assert.ok(!fits(phone, 100 * MB))
  assert.equal(planOf(film({ durationMs: 180_000, sizeBytes: 900 * MB })), null)
})

test('it is wanted for a large gain, or for any over a slow line or with data saved', () => {
  const plan = planOf(film({}))
  assert.ok(plan)
  assert.ok(isWanted(60 * MB, plan, undefined))
  assert.ok(!isWanted(20 * MB, plan, undefined))
  assert.ok(!isWanted(20 * MB, plan, { downlink: 10, effectiveType: '4g' }))
  assert.ok(isWanted(20 * MB, plan, { saveData: true }))
  assert.ok(isWanted(20 * MB, plan, { effectiveType: '3g' }))
  assert.ok(isWanted(20 * MB, plan, { downlink: 1.5, effectiveType: '4g' }))
})

test('only codecs with eight bits a colour are taken', () => {
  for (const codec of ['avc1.42001e', 'avc1.4D401F', 'avc1.640034', 'avc3.640028', 'hvc1.1.6.L153.B0', 'hev1.A1.6.L93', 'vp8', 'vp09.00.41.08', 'av01.0.08M.08.0.110']) assert.ok(isEightBit(codec), codec)
  for (const codec of ['avc1.6E0032', 'avc1.7A0032', 'avc1.F40032', 'hvc1.2.4.L153.B0', 'dvh1.08.07', 'vp09.02.41.10', 'av01.0.12M.10', 'prores', '']) assert.ok(!isEightBit(codec), codec)
})

function box(kind: string, body: Uint8Array, long = false): Uint8Array {
  const head = new DataView(new ArrayBuffer(long ? 16 : 8))
  head.setUint32(0, long ? 1 : 8 + body.length)
  if (long) head.setBigUint64(8, BigInt(16 + body.length))
  ;[...kind].forEach((letter, at) => head.setUint8(4 + at, letter.charCodeAt(0)))
  return new Uint8Array([...new Uint8Array(head.buffer), ...body])
}

test('content credentials are found wherever their box is, and nothing else is taken for them', async () => {
  const id = Uint8Array.from('d8fec3d61b0e483c92975828877ec481'.match(/../g) ?? [], (pair) => parseInt(pair, 16))
  const body = new Uint8Array([...id, ...new Uint8Array(20)])
  const [type, data, large] = [box('ftyp', new Uint8Array(12)), box('mdat', new Uint8Array(50)), box('mdat', new Uint8Array(30), true)]
  const has = (...parts: Uint8Array[]) => hasCredentials(new Blob(parts as BlobPart[]))
  assert.ok(await has(type, box('uuid', body), data))
  assert.ok(await has(type, data, large, box('uuid', body, true)))
  assert.ok(!(await has(type, box('uuid', new Uint8Array(40)), data)))
  assert.ok(!(await has(type, data)))
  assert.ok(!(await has(new Uint8Array([0x1a, 0x45, 0xdf, 0xa3, ...new Uint8Array(60)]))))
  assert.ok(!(await has(new Uint8Array(200))))
})
