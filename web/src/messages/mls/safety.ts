/**
 * Safety numbers: what two people read to each other to know that nobody sits between them. As in Signal's numeric fingerprints,
 * each half is a hash, many times over, of who a person is and of the keys of all their devices; whoever adds a device changes
 * the number, and both are told so.
 */
import { sha512 } from '@noble/hashes/sha2.js'
import { compare, concat, toUtf8 } from '../../verify/bytes.ts'
import { uuidBytes } from './identity.ts'

const VERSION = toUtf8('luciole/safety-number/v1')
/** So that a key whose number looks like another's is costly to search for. */
const ROUNDS = 5200
export const DIGITS = 60

export interface Side {
  personId: string
  keys: Uint8Array[]
}

/** 60 digits, the same whoever of the two asks. */
export function safetyNumber(one: Side, other: Side): string {
  const [first, second] = compare(uuidBytes(one.personId), uuidBytes(other.personId)) <= 0 ? [one, other] : [other, one]
  return half(first) + half(second)
}

/** In twelve groups of five, as it is read aloud. */
export function inGroups(digits: string): string[] {
  return digits.match(/\d{5}/g) ?? []
}

function half({ personId, keys }: Side): string {
  const said = concat(VERSION, uuidBytes(personId), ...[...keys].sort(compare))
  let hash = sha512(said)
  for (let round = 1; round < ROUNDS; round++) hash = sha512(concat(hash, said))
  let digits = ''
  for (let at = 0; at < 30; at += 5) {
    const part = hash.slice(at, at + 5).reduce((sum, byte) => sum * 256 + byte, 0)
    digits += String(part % 100_000).padStart(5, '0')
  }
  return digits
}

const SCHEME = 'luciole-safety:1:'

/** What the QR code says. */
export function safetyCode(digits: string): string {
  return SCHEME + digits
}

/** Whether a scanned code is this number; null if it is no safety number at all. */
export function isSafetyCode(scanned: string, digits: string): boolean | null {
  if (!scanned.startsWith(SCHEME)) return null
  return scanned === safetyCode(digits)
}
