/** The filter of tags and the book of sealed handles, as the cell sends them (`cell/contacts/book.py`). */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@noble/hashes/utils.js'

const FALSE_BITS = 8n
const RICE_BITS = 7
const HEAD_BYTES = 20
const RECORD_BYTES = 48
const NONCE_BYTES = 8
const HANDLE_BYTES = 24
const TAG_BYTES = 16
const STREAM = new TextEncoder().encode('luciole/contacts/stream/v1')
const CHECK = new TextEncoder().encode('luciole/contacts/check/v1')

export interface Filter {
  edition: string
  people: number
  /** 0: the filter is whole. */
  partBits: number
  bucketBits: number
  bucketBytes: number
  /** Under which key people are in it. */
  round: number
}

/** What stands before the filter, and the filter where it is whole. Throws for less. */
export function headOf(bytes: Uint8Array): { filter: Filter; whole: Uint8Array } {
  if (bytes.length < HEAD_BYTES) throw new RangeError('no filter')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return {
    filter: { edition: String(view.getBigUint64(0)), people: view.getUint32(8), partBits: bytes[12]!, bucketBits: bytes[13]!, bucketBytes: view.getUint16(14) * RECORD_BYTES, round: view.getUint32(16) },
    whole: bytes.subarray(HEAD_BYTES),
  }
}

/** How many members a part has, and their places, sorted. Throws for what ends too early. */
export function membersOf(part: Uint8Array): { number: number; places: Float64Array } {
  const number = new DataView(part.buffer, part.byteOffset, part.length).getUint32(0)
  const places = new Float64Array(number)
  let at = 32
  let place = 0
  const end = part.length * 8
  for (let i = 0; i < number; i++) {
    let over = 0
    while (at < end && !((part[at >> 3]! >> (7 - (at & 7))) & 1)) {
      over += 1
      at += 1
    }
    at += 1
    if (at + RICE_BITS > end) throw new RangeError('a part of the filter ends too early')
    let low = 0
    for (let k = 0; k < RICE_BITS; ) {
      const left = 8 - (at & 7)
      const take = Math.min(left, RICE_BITS - k)
      low = (low << take) | ((part[at >> 3]! >> (left - take)) & ((1 << take) - 1))
      at += take
      k += take
    }
    place += over * 2 ** RICE_BITS + low
    places[i] = place
  }
  return { number, places }
}

/** Whether a value is, or seems to be, in a part. */
export function isMember(value: Uint8Array, part: { number: number; places: Float64Array }): boolean {
  const tag = new DataView(value.buffer, value.byteOffset, 8).getBigUint64(0)
  const sought = Number((tag * (BigInt(part.number) << FALSE_BITS)) >> 64n)
  let [low, high] = [0, part.number]
  while (low < high) {
    const middle = (low + high) >> 1
    if (part.places[middle]! < sought) low = middle + 1
    else high = middle
  }
  return part.places[low] === sought
}

const top = (value: Uint8Array, offset: number, bits: number): number => (bits === 0 ? 0 : new DataView(value.buffer, value.byteOffset).getUint32(offset) >>> (32 - bits))
export const partOf = (value: Uint8Array, filter: Filter): number => top(value, 8, filter.partBits)
export const bucketOf = (value: Uint8Array, filter: Filter): number => top(value, 12, filter.bucketBits)

/** The handles of a bucket that a value opens: none where the filter was wrong, several where several have the address. */
export function handlesIn(bucket: Uint8Array, value: Uint8Array): string[] {
  const key = value.slice(-32)
  const found: string[] = []
  for (let at = 0; at + RECORD_BYTES <= bucket.length; at += RECORD_BYTES) {
    const hidden = bucket.slice(at, at + NONCE_BYTES + HANDLE_BYTES)
    const tag = bucket.subarray(at + hidden.length, at + RECORD_BYTES)
    const made = hmac(sha256, key, concatBytes(CHECK, hidden))
    if (!tag.every((byte, i) => byte === made[i]) || tag.length !== TAG_BYTES) continue
    const stream = hmac(sha512, key, concatBytes(STREAM, hidden.slice(0, NONCE_BYTES)))
    const text = hidden.slice(NONCE_BYTES).map((byte, i) => byte ^ stream[i]!)
    found.push(new TextDecoder().decode(text).replace(/\0+$/, ''))
  }
  return found
}

/** At least so many buckets are fetched, and at least twice as many as are wanted; all of a small book. */
export const FEWEST = 24

/**
 * The buckets to fetch, in their order: those that are wanted among others that hide them. `others` are numbers of 32 bits that this
 * device always takes in the same order, so that two look-ups differ by as little as they can.
 */
export function among(wanted: Iterable<number>, filter: Filter, others: Uint32Array): number[] {
  const all = 2 ** filter.bucketBits
  const chosen = new Set(wanted)
  const least = Math.min(all, Math.max(FEWEST, Math.ceil((2 * chosen.size) / FEWEST) * FEWEST))
  for (let i = 0; chosen.size < least && i < others.length; i++) chosen.add(filter.bucketBits === 0 ? 0 : others[i]! >>> (32 - filter.bucketBits))
  for (let i = 0; chosen.size < least; i++) chosen.add(i)
  return [...chosen].sort((a, b) => a - b)
}
