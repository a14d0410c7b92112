/** Proofs that labels are absent from a sealed range: docs/reference/ledger-formats.md. */
import { compare, demand, fromBase64, HASH_BYTES, isEqual, natural } from './bytes.ts'
import { parseSeal, type SealEntry } from './entry.ts'
import { EMPTY_ROOT, leafHash, leftPart, nodeHash } from './merkle.ts'

export interface Absence {
  sealIndex: number
  entry: Uint8Array
  seal: SealEntry
  positions: number[]
  labels: Uint8Array[]
  nodes: Uint8Array[]
}

/** A proof taken apart; Malformed where the shape is wrong. */
export function parseAbsence(value: unknown): Absence {
  const shape = record(value)
  const entry = fromBase64(shape.seal)
  const leaves = list(shape.leaves).map(list)
  demand(leaves.every((leaf) => leaf.length === 2))
  return {
    sealIndex: natural(shape.seal_index),
    entry,
    seal: parseSeal(entry),
    positions: leaves.map(([position]) => natural(position)),
    labels: leaves.map(([, label]) => fromBase64(label, HASH_BYTES)),
    nodes: hashes(shape.nodes),
  }
}

export function record(value: unknown): Record<string, unknown> {
  demand(typeof value === 'object' && value !== null && !Array.isArray(value))
  return value as Record<string, unknown>
}

export function list(value: unknown): unknown[] {
  demand(Array.isArray(value))
  return value
}

export function hashes(value: unknown): Uint8Array[] {
  return list(value).map((hash) => fromBase64(hash, HASH_BYTES))
}

/** Whether leaves and nodes lead to the seal's root, with nothing out of order or left over. */
export function isProved({ seal, positions, labels, nodes }: Absence): boolean {
  for (let at = 0; at < positions.length; at++) {
    // A position below 0 is no natural number; two leaves must not share a place.
    if (positions[at]! >= seal.count) return false
    if (at && (positions[at - 1]! >= positions[at]! || compare(labels[at - 1]!, labels[at]!) >= 0)) return false
  }
  let used = 0
  // The leaves with numbers from `low` to below `high` lie in [start, end).
  const rebuilt = (low: number, high: number, start: number, end: number): Uint8Array => {
    if (low === high) return nodes[used++] ?? new Uint8Array(0)
    if (end - start === 1) return leafHash(labels[low]!)
    const middle = start + leftPart(end - start)
    const cut = firstFrom(low, high, (at) => positions[at]! >= middle)
    const left = rebuilt(low, cut, start, middle)
    return nodeHash(left, rebuilt(cut, high, middle, end))
  }
  const root = seal.count === 0 ? EMPTY_ROOT : rebuilt(0, positions.length, 0, seal.count)
  return used === nodes.length && isEqual(root, seal.root)
}

/** Where a label stands to the leaves of a proof: `there` among them, `absent` between two that are
 * adjacent (or before the first of all, or behind the last), or `unknown`. */
export function whereIs(label: Uint8Array, { seal, positions, labels }: Absence): 'there' | 'absent' | 'unknown' {
  const at = firstFrom(0, labels.length, (place) => compare(labels[place]!, label) >= 0)
  if (at < labels.length && isEqual(labels[at]!, label)) return 'there'
  const left = at ? positions[at - 1]! : -1
  return left + 1 === (positions[at] ?? seal.count) ? 'absent' : 'unknown'
}

/** The first number from `low` to below `high` for which the condition holds from there on. */
function firstFrom(low: number, high: number, holds: (at: number) => boolean): number {
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(middle)) high = middle
    else low = middle + 1
  }
  return low
}
