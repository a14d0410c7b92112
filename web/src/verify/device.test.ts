/** A device's entries: opened as the log commits to them, or the cell is caught. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256 } from '@noble/hashes/sha2.js'
import { concat, toBase64, toUtf8 } from './bytes.ts'
import { checkDevice, type DeviceEntry } from './device.ts'

const KEY = new Uint8Array(32).fill(7)
const NONCE = new Uint8Array(32).fill(9)
const ID = '00000000-0000-7000-8000-0000000000d1'
const AT = '2026-11-26T20:00:00Z'

function entry(act: string, change: Record<string, unknown> = {}): DeviceEntry {
  const said = { actor: 'you', at: AT, class: 'self', device: ID, key: toBase64(KEY), kind: 'key', n: 3, purpose: `device-${act}`, v: 1, ...change }
  const opening = JSON.stringify(said)
  const minute = new Uint8Array(4)
  new DataView(minute.buffer).setUint32(0, Date.parse(AT) / 60_000)
  const commit = sha256(concat(toUtf8('luciole/open/v1'), NONCE, toUtf8(opening)))
  const leaf = concat(Uint8Array.of(1, 9, 1), minute, new Uint8Array(32), commit)
  return { act, n: 3, leaf: toBase64(leaf), nonce: toBase64(NONCE), opening, index: null, receipt: null }
}

const device = (...entries: DeviceEntry[]) => ({ id: ID, signature_key: toBase64(KEY), revoked_at: null as string | null, entries })
const check = (said: ReturnType<typeof device>) => checkDevice(said, 'quorum none\n', 1_800_000_000)

test('an entry that waits for its head leaves the question open', async () => {
  assert.deepEqual(await check(device(entry('added'))), { verdict: 'CANNOT TELL', code: 'device.waits' })
})

test('a device without an entry is caught', async () => {
  assert.deepEqual(await check(device()), { verdict: 'RED', code: 'device.no-entry' })
})

test('an entry of another key, device or act is caught', async () => {
  for (const change of [{ key: toBase64(new Uint8Array(32)) }, { device: ID.replace('d1', 'd2') }, { purpose: 'device-revoked' }, { n: 4 }, { v: 2 }]) {
    assert.deepEqual(await check(device(entry('added', change))), { verdict: 'RED', code: 'device.opening' }, JSON.stringify(change))
  }
})

test('an opening that the entry does not commit to is caught', async () => {
  const changed = { ...entry('added'), nonce: toBase64(new Uint8Array(32)) }
  assert.equal((await check(device(changed))).verdict, 'RED')
})

test('a removed device that is shown as in use is caught', async () => {
  assert.deepEqual(await check(device(entry('added'), entry('revoked'))), { verdict: 'RED', code: 'device.revoked' })
})

test('a receipt that is none is caught', async () => {
  const { verdict } = await check(device({ ...entry('added'), index: 5, receipt: 'no receipt' }))
  assert.equal(verdict, 'RED')
})
