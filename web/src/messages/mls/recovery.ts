/**
 * The recovery code: 128 random bits that open the copy of one's history at the cell. The cell never sees it. Written as 28 signs
 * of Crockford's base 32 in groups of four; the last two check the others, so that a slip of the pen is noticed.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { concat, demand, toUtf8 } from '../../verify/bytes.ts'
import { uuidBytes } from './identity.ts'

const SIGNS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
export const CODE_BYTES = 16
const CODE_SIGNS = 26
const CHECK_SIGNS = 2
const INFO = toUtf8('luciole/messages-copy/v1')

export function newCode(): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(CODE_BYTES))
}

export function writeCode(code: Uint8Array): string {
  demand(code.length === CODE_BYTES)
  return (signsOf(code, CODE_SIGNS) + check(code)).match(/.{4}/g)!.join('-')
}

/** The code as typed by hand, small or large, with or without its dashes; null where it cannot be one. */
export function readCode(typed: string): Uint8Array<ArrayBuffer> | null {
  const signs = typed.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1')
  if (signs.length !== CODE_SIGNS + CHECK_SIGNS || [...signs].some((sign) => !SIGNS.includes(sign))) return null
  let bits = 0n
  for (const sign of signs.slice(0, CODE_SIGNS)) bits = (bits << 5n) | BigInt(SIGNS.indexOf(sign))
  // 26 signs are 130 bits: the last two are no part of the code.
  if (bits & 3n) return null
  bits >>= 2n
  const code = new Uint8Array(CODE_BYTES)
  for (let at = CODE_BYTES - 1; at >= 0; at--, bits >>= 8n) code[at] = Number(bits & 0xffn)
  return check(code) === signs.slice(CODE_SIGNS) ? code : null
}

/** The key that the code stands for. It cannot be read out again; of 128 random bits no slow hash is needed. */
export async function keyOfCode(code: Uint8Array, personId: string): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey('raw', Uint8Array.from(code), 'HKDF', false, ['deriveKey'])
  const params = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: copyOf(personId) }
  return crypto.subtle.deriveKey(params, material, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
}

/** Whose copy it is: bound to its seal. */
export function copyOf(personId: string): Uint8Array<ArrayBuffer> {
  return concat(INFO, uuidBytes(personId))
}

function check(code: Uint8Array): string {
  return signsOf(sha256(concat(INFO, code)), CHECK_SIGNS)
}

function signsOf(bytes: Uint8Array, count: number): string {
  let bits = 0n
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte)
  const width = BigInt(bytes.length * 8)
  let signs = ''
  for (let at = 1n; at <= BigInt(count); at++) {
    const shift = width - at * 5n
    const value = shift >= 0n ? (bits >> shift) & 31n : (bits << -shift) & 31n
    signs += SIGNS[Number(value)]
  }
  return signs
}
