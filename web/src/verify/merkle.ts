/** The hash tree of RFC 6962 and RFC 9162. SHA-256 is synchronous: a promise for each of 20 hashes
 * costs more than the hashes. */
import { sha256 } from '@noble/hashes/sha2.js'
import { concat, HASH_BYTES, isEqual } from './bytes.ts'

const LEAF = new Uint8Array([0])
// One buffer for all nodes: a journal has tens of thousands of them.
const NODE = new Uint8Array(1 + 2 * HASH_BYTES)
NODE[0] = 1
export const EMPTY_ROOT = sha256(new Uint8Array(0))

export function leafHash(entry: Uint8Array): Uint8Array {
  return sha256(concat(LEAF, entry))
}

/** The hash over two subtrees, given by their hashes of 32 bytes. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  NODE.set(left, 1)
  NODE.set(right, 1 + HASH_BYTES)
  return sha256(NODE)
}

/** The largest power of two below `size`, which is at least 2. */
export function leftPart(size: number): number {
  let part = 1
  while (part * 2 < size) part *= 2
  return part
}

/** Whether the entry with the hash `leaf` stands at `index` of the tree of `size` entries under
 * `root`. RFC 9162 section 2.1.3.2; numbers may exceed 32 bits, so no bit operators here. */
export function isIncluded(
  index: number, size: number, leaf: Uint8Array, path: readonly Uint8Array[], root: Uint8Array,
): boolean {
  if (!(index >= 0 && index < size) || leaf.length !== HASH_BYTES) return false
  let first = index
  let last = size - 1
  let seen = leaf
  for (const hash of path) {
    if (last === 0 || hash.length !== HASH_BYTES) return false
    if (first % 2 === 1 || first === last) {
      seen = nodeHash(hash, seen)
      while (first % 2 === 0 && first !== 0) {
        first /= 2
        last = Math.floor(last / 2)
      }
    } else {
      seen = nodeHash(seen, hash)
    }
    first = Math.floor(first / 2)
    last = Math.floor(last / 2)
  }
  return last === 0 && isEqual(seen, root)
}
