/** Entries of the log `access`: docs/reference/ledger-formats.md. */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concat, demand, fromUtf8, isEqual, readU64, toUtf8, u64 } from './bytes.ts'

export const KINDS = ['', 'enrol', 'grant', 'read', 'export', 'import', 'erase', 'decision', 'crossing', 'key']
export const CLASSES = ['', 'self', 'automated', 'staff', 'legal', 'export']
const SEAL = 0x80
const LABEL_KEY = toUtf8('luciole/label-key/v1')
const ACCESS = toUtf8('luciole/access/v1')
const OPEN = toUtf8('luciole/open/v1')

export interface PersonEntry {
  kind: string
  cls: string
  minute: number
  label: Uint8Array
  commit: Uint8Array
}

export interface SealEntry {
  minute: number
  first: number
  end: number
  count: number
  root: Uint8Array
}

/** An entry about one person, 71 bytes. */
export function parsePerson(entry: Uint8Array): PersonEntry {
  const kind = KINDS[entry[1]!]
  const cls = CLASSES[entry[2]!]
  demand(entry.length === 71 && entry[0] === 1 && !!kind && !!cls)
  return { kind, cls, minute: minuteOf(entry), label: entry.slice(7, 39), commit: entry.slice(39) }
}

/** A seal over the labels of [first, end), 63 bytes. */
export function parseSeal(entry: Uint8Array): SealEntry {
  demand(entry.length === 63 && entry[0] === 1 && entry[1] === SEAL)
  demand(entry[2] === 1 || entry[2] === 2)
  const [first, end, count] = [7, 15, 23].map((at) => readU64(entry, at)) as [number, number, number]
  return { minute: minuteOf(entry), first, end, count, root: entry.slice(31) }
}

function minuteOf(entry: Uint8Array): number {
  return new DataView(entry.buffer, entry.byteOffset).getUint32(3)
}

/** The label of a person's n-th entry; of the 0th, the commitment of the label key. */
export function labelOf(labelKey: Uint8Array, n: number): Uint8Array {
  if (n === 0) return sha256(concat(LABEL_KEY, labelKey))
  return hmac(sha256, labelKey, concat(ACCESS, u64(n)))
}

/** Whether an opening is what the entry with number `n` commits to, and agrees with what the entry
 * says in the open. */
export function isOpening(entry: PersonEntry, n: number, nonce: Uint8Array, opening: Uint8Array): boolean {
  const isCommitted = nonce.length === 32 && isEqual(sha256(concat(OPEN, nonce, opening)), entry.commit)
  return isCommitted && isSaidOf(entry, n, opening)
}

/** Whether something said of the entry with number `n` agrees with what the entry says in the open. */
export function isSaidOf(entry: PersonEntry, n: number, opening: Uint8Array): boolean {
  const said = parseCanonical(opening)
  const at = typeof said.at === 'string' && TIME.test(said.at) ? Date.parse(said.at) : NaN
  return (
    said.v === 1 && said.n === n && said.kind === entry.kind && said.class === entry.cls &&
    Math.floor(at / 60_000) === entry.minute
  )
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/

/** The object, if the bytes are the one way to write it. */
export function parseCanonical(bytes: Uint8Array): Record<string, unknown> {
  const text = fromUtf8(bytes)
  let value: unknown
  let again: string
  try {
    value = JSON.parse(text)
    again = canonical(value)
  } catch {
    demand(false)
  }
  demand(again === text && typeof value === 'object' && value !== null && !Array.isArray(value))
  return value as Record<string, unknown>
}

function canonical(value: unknown): string {
  if (typeof value === 'number') demand(Number.isSafeInteger(value))
  if (typeof value === 'string') demand(!/\p{Surrogate}/u.test(value))
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1))
  return `{${members.map(([key, each]) => {
    demand(/^[ -~]*$/.test(key))
    return `${JSON.stringify(key)}:${canonical(each)}`
  }).join()}}`
}
