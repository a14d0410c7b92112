/** Bytes and their text forms, read strictly: each value has one spelling. */

/** What a stranger sent is not what the format says. */
export class Malformed extends Error {}

/** Stops with Malformed unless the condition holds. */
export function demand(condition: boolean): asserts condition {
  if (!condition) throw new Malformed()
}

export const HASH_BYTES = 32

export function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

/** Which comes first, byte by byte: below 0 if `left` does, 0 if they are equal. */
export function compare(left: Uint8Array, right: Uint8Array): number {
  const shorter = Math.min(left.length, right.length)
  for (let at = 0; at < shorter; at++) {
    if (left[at] !== right[at]) return left[at]! - right[at]!
  }
  return left.length - right.length
}

export function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && compare(left, right) === 0
}

export function toUtf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text)
}

export function fromUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new Malformed()
  }
}

/** RFC 4648 section 4. */
export function toBase64(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const DIGITS = Uint8Array.from({ length: 128 }, (_, code) => BASE64.indexOf(String.fromCharCode(code)) & 0xff)

/** The bytes, if `text` is the one way to write them, and there are `length` of them if that is
 * given. */
export function fromBase64(text: unknown, length?: number): Uint8Array<ArrayBuffer> {
  demand(typeof text === 'string' && text.length % 4 === 0)
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const bytes = new Uint8Array((text.length / 4) * 3 - padding)
  demand(length === undefined || bytes.length === length)
  let bits = 0
  for (let at = 0, end = text.length - padding, out = 0; at < end; at++) {
    const digit = DIGITS[text.charCodeAt(at)] ?? 0xff
    demand(digit < 64)
    bits = ((bits << 6) | digit) & 0xffff
    if (at % 4) bytes[out++] = bits >> (6 - 2 * (at % 4))
  }
  // What is left over of the last digit must be nothing, or it could be written in other ways.
  demand(padding === 0 || (bits & (padding === 2 ? 0x0f : 0x03)) === 0)
  return bytes
}

export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  demand(text.length % 2 === 0 && /^[0-9a-f]*$/.test(text))
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16))
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** A decimal number without leading zeroes. */
export function parseNumber(text: string): number {
  demand(/^(0|[1-9][0-9]{0,15})$/.test(text))
  return natural(Number(text))
}

/** A whole number from 0 that a double holds exactly: no log grows beyond 2^53 entries. */
export function natural(value: unknown): number {
  demand(typeof value === 'number' && Number.isSafeInteger(value) && value >= 0)
  return value
}

/** 8 bytes, big-endian. */
export function u64(value: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value))
  return bytes
}

export function readU64(bytes: Uint8Array, at: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  demand(at + 8 <= bytes.length)
  return natural(Number(view.getBigUint64(at)))
}
