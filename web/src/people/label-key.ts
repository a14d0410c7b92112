/**
 * The key by which a person finds the entries about themselves in the cell's log, and sees that none is missing. It is made on
 * the device that signs up and stays in its browser, so that a cell that tells of fewer entries is found out.
 */
import { recall, remember } from '../app/memory.ts'

export const LABEL_KEY_BYTES = 32

/** 32 random bytes, in base64url as the cell takes them. */
export function newLabelKey(): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(LABEL_KEY_BYTES)))
}

export function keepLabelKey(personId: string, key: string): void {
  remember(place(personId), key)
}

/** The key that this browser keeps for an account, or null. */
export function keptLabelKey(personId: string): string | null {
  const key = recall(place(personId))
  return key && isLabelKey(key) ? key : null
}

export function isLabelKey(text: string): boolean {
  return /^[A-Za-z0-9_-]{43}$/.test(text)
}

/** Either form of base64 as base64url without padding. */
export function toUrlForm(base64: string): string {
  return base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

function place(personId: string): string {
  return `label-key.${personId}`
}

function toBase64Url(bytes: Uint8Array): string {
  return toUrlForm(btoa(String.fromCharCode(...bytes)))
}
