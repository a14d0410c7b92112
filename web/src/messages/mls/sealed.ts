/** Bytes sealed with a key of their own, outside MLS: files at the cell, and the copy that the recovery code opens. */
import { concat, demand } from '../../verify/bytes.ts'

const NONCE_BYTES = 12
const LENGTH_BYTES = 4

export function newKey(): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(32))
}

export function importKey(raw: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', Uint8Array.from(raw), 'AES-GCM', false, ['encrypt', 'decrypt'])
}

/** Nonce, then AES-256-GCM over length, content and zeroes. `about` is bound to it and not told. */
export async function sealBytes(key: CryptoKey, content: Uint8Array, about: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const padded = new Uint8Array(padme(LENGTH_BYTES + content.length))
  new DataView(padded.buffer).setUint32(0, content.length)
  padded.set(content, LENGTH_BYTES)
  const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
  const params = { name: 'AES-GCM', iv, additionalData: Uint8Array.from(about) }
  return concat(iv, new Uint8Array(await crypto.subtle.encrypt(params, key, padded)))
}

/** Throws where the key or what it is about is another, or where a byte was changed. */
export async function openBytes(key: CryptoKey, sealed: Uint8Array, about: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  demand(sealed.length > NONCE_BYTES)
  const params = { name: 'AES-GCM', iv: sealed.slice(0, NONCE_BYTES), additionalData: Uint8Array.from(about) }
  const padded = new Uint8Array(await crypto.subtle.decrypt(params, key, sealed.slice(NONCE_BYTES)))
  demand(padded.length >= LENGTH_BYTES)
  const length = new DataView(padded.buffer).getUint32(0)
  demand(LENGTH_BYTES + length <= padded.length)
  return padded.slice(LENGTH_BYTES, LENGTH_BYTES + length)
}

/** Padmé (Nikitin and others, "Reducing Metadata Leakage from Encrypted Files", 2019): at most 12 % more, few sizes. */
export function padme(length: number): number {
  if (length < 256) return 256
  const exponent = Math.floor(Math.log2(length))
  const kept = Math.floor(Math.log2(exponent)) + 1
  const step = 2 ** (exponent - kept)
  return Math.ceil(length / step) * step
}
