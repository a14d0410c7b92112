import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import test from 'node:test'
import { ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js'
import { Ristretto } from './ristretto.ts'

const Noble = ristretto255.Point
const { Fn } = Noble
const scalar = (): bigint => Fn.create(BigInt(`0x${randomBytes(40).toString('hex')}`))
const little = (value: bigint): Uint8Array => Fn.toBytes(value)
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

test('multiples of the base are those of noble', () => {
  const group = new Ristretto()
  const table = group.table(group.base)
  const out = group.room(1)
  for (const value of [1n, 2n, 255n, 256n, Fn.ORDER - 1n, ...Array.from({ length: 40 }, scalar)]) {
    group.multiply(out, table, little(value))
    assert.equal(hex(group.encode(out)), hex(Noble.BASE.multiply(value).toBytes()))
  }
})

test('points of uniform bytes are those of noble', () => {
  const group = new Ristretto()
  const out = group.room(1)
  for (const wide of [new Uint8Array(64), new Uint8Array(64).fill(255), ...Array.from({ length: 200 }, () => new Uint8Array(randomBytes(64)))]) {
    group.map(out, wide)
    assert.equal(hex(group.encode(out)), hex(ristretto255_hasher.deriveToCurve!(wide).toBytes()))
  }
})

test('sums, differences and combinations are those of noble', () => {
  const group = new Ristretto()
  const theirs = Array.from({ length: 60 }, () => Noble.BASE.multiply(scalar()))
  const ours = theirs.map((point) => {
    const at = group.room(1)
    assert.ok(group.decode(at, point.toBytes()))
    assert.equal(hex(group.encode(at)), hex(point.toBytes()))
    return at
  })
  const out = group.room(1)
  group.add(out, ours[0]!, ours[1]!)
  assert.equal(hex(group.encode(out)), hex(theirs[0]!.add(theirs[1]!).toBytes()))
  group.negate(out, ours[2]!)
  group.add(out, out, ours[3]!)
  assert.equal(hex(group.encode(out)), hex(theirs[3]!.subtract(theirs[2]!).toBytes()))
  const scalars = theirs.map(scalar)
  group.combine(out, ours, scalars.map(little))
  assert.equal(hex(group.encode(out)), hex(theirs.reduce((sum, point, i) => sum.add(point.multiply(scalars[i]!)), Noble.ZERO).toBytes()))
})

test('bytes that noble does not take are not taken', () => {
  const group = new Ristretto()
  const out = group.room(1)
  let refused = 0
  const odd = [new Uint8Array(32).fill(255), new Uint8Array([...new Uint8Array(31), 128]), new Uint8Array([1, ...new Uint8Array(31)]), new Uint8Array(31)]
  for (const bytes of [...odd, ...Array.from({ length: 300 }, () => new Uint8Array(randomBytes(32)))]) {
    let theirs = true
    try {
      Noble.fromBytes(bytes)
    } catch {
      theirs = false
      refused += 1
    }
    assert.equal(group.decode(out, bytes), theirs, hex(bytes))
  }
  assert.ok(refused > 200)
})
