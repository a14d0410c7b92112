/**
 * The person's side of contact discovery: RFC 9497, VOPRF(ristretto255, SHA-512), with a key whose two
 * halves are in two cells. Each half proves that it used the key that it has published; who has both
 * answers adds them. The values are those of the RFC, the blinding adds r·G instead of multiplying by
 * r: what is sent is as random, and taking it away again costs a tenth. (That is safe because the keys
 * are known beforehand and the answers are proved: Jarecki, Krawczyk, Xu, PKC 2021.)
 */
import { sha512 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@noble/hashes/utils.js'
import type { Group, Point, Table } from './ristretto.ts'

export const POINT_BYTES = 32
export const PROOF_BYTES = 64
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)
const CONTEXT = concatBytes(ascii('OPRFV1-'), new Uint8Array([1]), ascii('-ristretto255-SHA512'))
const TO_GROUP = concatBytes(ascii('HashToGroup-'), CONTEXT)
const TO_SCALAR = concatBytes(ascii('HashToScalar-'), CONTEXT)
const SEED = concatBytes(ascii('Seed-'), CONTEXT)
const BLOCK = new Uint8Array(128)
const COMPOSITE = ascii('Composite')
const FINALIZE = ascii('Finalize')

/** A half of the key was not used as published, or its answer is no answer. */
export class BadProof extends Error {}

export class Client {
  private readonly group: Group
  private readonly keys: Uint8Array[]
  private readonly points: Point[]
  private readonly base: Table
  private readonly key: Table
  /** The points that were blinded last, as they are in the group: decoding them would cost a root each. */
  private last: { points: Uint8Array; first: Point; mark: number } | null = null

  /** `keys`: the public keys of both halves. Throws BadProof where they are none. */
  constructor(group: Group, keys: Uint8Array[]) {
    this.group = group
    this.keys = keys
    this.points = keys.map((key) => {
      const at = group.room(1)
      if (!group.decode(at, key)) throw new BadProof('no public key')
      return at
    })
    const sum = group.room(1)
    group.add(sum, this.points[0]!, this.points[1]!)
    this.base = group.table(group.base)
    this.key = group.table(sum)
  }

  /** What to send, 32 bytes for each text, and what takes the blinding away again. */
  blind(texts: Uint8Array[]): { points: Uint8Array; scalars: Uint8Array[] } {
    const { group } = this
    if (this.last) group.release(this.last.mark)
    const start = group.mark()
    const first = group.room(texts.length)
    const mark = group.mark()
    const hiding = group.room(1)
    const points = new Uint8Array(texts.length * POINT_BYTES)
    const scalars = texts.map((text, i) => {
      const scalar = drawn()
      const point = group.nth(first, i)
      group.map(point, expanded(text, TO_GROUP))
      group.multiply(hiding, this.base, scalar)
      group.add(point, point, hiding)
      points.set(group.encode(point), i * POINT_BYTES)
      return scalar
    })
    group.release(mark)
    this.last = { points, first, mark: start }
    return { points, scalars }
  }

  /** The values (64 bytes each) of the texts. `answer`: of each half the points and its proof. Throws BadProof. */
  finish(texts: Uint8Array[], blinded: { points: Uint8Array; scalars: Uint8Array[] }, answer: Uint8Array): Uint8Array[] {
    const { group } = this
    const size = blinded.points.length
    if (answer.length !== 2 * (size + PROOF_BYTES)) throw new BadProof('an answer of another length')
    const halves = [answer.subarray(0, size + PROOF_BYTES), answer.subarray(size + PROOF_BYTES)]
    const mark = group.mark()
    const sent = this.last?.points === blinded.points ? texts.map((_, i) => group.nth(this.last!.first, i)) : this.decoded(blinded.points)
    const got = halves.map((half) => this.decoded(half.subarray(0, size)))
    halves.forEach((half, which) => this.check(which, blinded.points, half.subarray(0, size), half.subarray(size), sent, got[which]!))
    const [point, hiding] = [group.room(1), group.room(1)]
    const values = texts.map((text, i) => {
      group.add(point, got[0]![i]!, got[1]![i]!)
      group.multiply(hiding, this.key, blinded.scalars[i]!)
      group.negate(hiding, hiding)
      group.add(point, point, hiding)
      return sha512(concatBytes(sized(text), sized(group.encode(point)), FINALIZE))
    })
    group.release(mark)
    return values
  }

  private decoded(points: Uint8Array): Point[] {
    const { group } = this
    const number = points.length / POINT_BYTES
    const first = group.room(number)
    return Array.from({ length: number }, (_, i) => {
      const at = group.nth(first, i)
      if (!group.decode(at, points, i * POINT_BYTES)) throw new BadProof('no point')
      return at
    })
  }

  /** Section 2.2.2 of the RFC: VerifyProof, with ComputeComposites. */
  private check(which: number, sent: Uint8Array, got: Uint8Array, proof: Uint8Array, sentPoints: Point[], gotPoints: Point[]): void {
    const { group } = this
    const key = this.keys[which]!
    const mark = group.mark()
    const [m, z, t2, t3] = [group.room(1), group.room(1), group.room(1), group.room(1)]
    const [c, s] = [proof.slice(0, 32), proof.slice(32)]
    if (numberOf(c) >= ORDER || numberOf(s) >= ORDER) throw new BadProof('no proof')
    const start = sized(sha512(concatBytes(sized(key), sized(SEED))))
    // The same bytes for each weight but for the number and both points, which are written in their places.
    const gap = new Uint8Array(POINT_BYTES)
    const told = prepared(concatBytes(start, new Uint8Array(2), sized(gap), sized(gap), COMPOSITE), TO_SCALAR)
    const at = BLOCK.length + start.length
    const weights = sentPoints.map((_, i) => {
      told[at] = i >> 8
      told[at + 1] = i & 255
      told.set(sent.subarray(i * POINT_BYTES, (i + 1) * POINT_BYTES), at + 4)
      told.set(got.subarray(i * POINT_BYTES, (i + 1) * POINT_BYTES), at + 6 + POINT_BYTES)
      return reduced(stretched(told, TO_SCALAR))
    })
    group.combine(m, sentPoints, weights)
    group.combine(z, gotPoints, weights)
    group.combine(t2, [group.base, this.points[which]!], [s, c])
    group.combine(t3, [m, z], [s, c])
    const points = [key, ...[m, z, t2, t3].map((point) => group.encode(point))].map(sized)
    const expected = toScalar(concatBytes(...points, ascii('Challenge')))
    group.release(mark)
    if (!expected.every((byte, i) => byte === c[i])) throw new BadProof('another key')
  }
}

function sized(part: Uint8Array): Uint8Array {
  return concatBytes(new Uint8Array([part.length >> 8, part.length & 255]), part)
}

/** expand_message_xmd of RFC 9380 for 64 bytes of SHA-512, in its two steps: what is hashed first, and what comes of it. */
function prepared(text: Uint8Array, place: Uint8Array): Uint8Array {
  const told = new Uint8Array(BLOCK.length + text.length + 4 + place.length)
  told.set(text, BLOCK.length)
  told[BLOCK.length + text.length + 1] = 64
  told.set(place, BLOCK.length + text.length + 3)
  told[told.length - 1] = place.length
  return told
}

function stretched(told: Uint8Array, place: Uint8Array): Uint8Array {
  const again = new Uint8Array(66 + place.length)
  again.set(sha512(told))
  again[64] = 1
  again.set(place, 65)
  again[again.length - 1] = place.length
  return sha512(again)
}

const expanded = (text: Uint8Array, place: Uint8Array): Uint8Array => stretched(prepared(text, place), place)

function numberOf(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let number = 0n
  for (let i = bytes.length - 8; i >= 0; i -= 8) number = (number << 64n) | view.getBigUint64(i, true)
  return number
}

function bytesOf(value: bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(32))
  for (let i = 0; i < 4; i++) view.setBigUint64(8 * i, BigInt.asUintN(64, value >> BigInt(64 * i)), true)
  return new Uint8Array(view.buffer)
}

const reduced = (wide: Uint8Array): Uint8Array => bytesOf(numberOf(wide) % ORDER)
const toScalar = (text: Uint8Array): Uint8Array => reduced(expanded(text, TO_SCALAR))

function drawn(): Uint8Array {
  return reduced(crypto.getRandomValues(new Uint8Array(64)))
}
