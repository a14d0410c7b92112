/**
 * Signed notes, checkpoints and cosignatures: C2SP signed-note 1.0, tlog-checkpoint 1.0,
 * tlog-cosignature 1.1. The text of a note counts for nothing until its signatures are verified.
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concat, demand, fromBase64, fromUtf8, HASH_BYTES, isEqual, parseNumber, readU64 } from './bytes.ts'
import { toHex, toUtf8, u64 } from './bytes.ts'

export const ED25519 = 0x01
export const COSIGNATURE = 0x04
export const SUBTREE = 0x06
const PUBLIC_BYTES: Record<number, number> = { [ED25519]: 32, [COSIGNATURE]: 32, [SUBTREE]: 1312 }
const MAX_NOTE_BYTES = 1_000_000
const MAX_SIGNATURES = 100

// White_Space of Unicode, other control characters, and the plus.
const NOT_A_NAME = /[\u0000- +\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/

export interface Key {
  name: string
  kind: number
  public: Uint8Array<ArrayBuffer>
  id: Uint8Array
}

/** A verifier key, `<name>+<key id>+<base64 of kind and public key>`, of one of these kinds. */
export function parseKey(text: string, kinds: readonly number[]): Key {
  const [name, id, encoded] = /^([^+]*)\+([^+]*)\+(.*)$/s.exec(text)?.slice(1) ?? []
  const material = fromBase64(encoded)
  const kind = material[0]
  demand(name !== undefined && name !== '' && !NOT_A_NAME.test(name) && isCosignable(name))
  demand(kind !== undefined && kinds.includes(kind) && material.length === 1 + PUBLIC_BYTES[kind]!)
  const hashed = sha256(concat(toUtf8(`${name}\n`), material)).slice(0, 4)
  demand(id === toHex(hashed))
  return { name, kind, public: material.slice(1), id: hashed }
}

export interface Note {
  text: string
  signatures: { name: string; id: Uint8Array; signature: Uint8Array<ArrayBuffer> }[]
}

/** A note taken apart, nothing verified. */
export function parseNote(note: string | Uint8Array): Note {
  const raw = typeof note === 'string' ? toUtf8(note) : note
  const whole = fromUtf8(raw)
  demand(raw.length <= MAX_NOTE_BYTES && (typeof note !== 'string' || whole === note))
  const cut = whole.lastIndexOf('\n\n')
  const text = whole.slice(0, cut + 1)
  const lines = whole.slice(cut + 2).split('\n')
  demand(cut >= 0 && !CONTROL.test(text) && lines.pop() === '')
  demand(lines.length > 0 && lines.length <= MAX_SIGNATURES)
  const signatures = lines.map((line) => {
    const [name, encoded] = /^— ([^ ]+) ([^ ]+)$/.exec(line)?.slice(1) ?? []
    demand(name !== undefined && !NOT_A_NAME.test(name))
    const found = fromBase64(encoded)
    demand(found.length > 4)
    return { name, id: found.slice(0, 4), signature: found.slice(4) }
  })
  return { text, signatures }
}

/** What stands under a key's name and id; signatures by others are ignored. */
export function signaturesBy(key: Key, note: Note): Uint8Array<ArrayBuffer>[] {
  return note.signatures
    .filter((found) => found.name === key.name && isEqual(found.id, key.id))
    .map((found) => found.signature)
}

export interface Checkpoint {
  origin: string
  size: number
  root: Uint8Array
}

/** The checkpoint that a note's text is. No cell writes lines that extend one. */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin, size, root, rest, ...more] = text.split('\n')
  demand(origin !== undefined && origin !== '' && size !== undefined)
  demand(rest === '' && more.length === 0)
  return { origin, size: parseNumber(size), root: fromBase64(root, HASH_BYTES) }
}

/** Whether a log's key signed the text. */
export function isSigned(key: Key, text: string, signature: Uint8Array<ArrayBuffer>): Promise<boolean> {
  return verify(key, signature, toUtf8(text))
}

/** When a witness cosigned the checkpoint (POSIX seconds), or null if the cosignature is wrong. */
export async function cosignedAt(
  key: Key, text: string, signature: Uint8Array<ArrayBuffer>,
): Promise<number | null> {
  try {
    const time = readU64(signature, 0)
    // A time of 0 would say that this is not claimed to be the newest tree.
    const isRight = time > 0 && (await verify(key, signature.slice(8), cosigned(key, text, time)))
    return isRight ? time : null
  } catch {
    return null // too short for a time, or of a name too long to be cosigned
  }
}

function cosigned(key: Key, text: string, time: number): Uint8Array<ArrayBuffer> {
  if (key.kind === COSIGNATURE) return toUtf8(`cosignature/v1\ntime ${time}\n${text}`)
  const { origin, size, root } = parseCheckpoint(text)
  const label = toUtf8('subtree/v1\n\0')
  return concat(label, named(key.name), u64(time), named(origin), u64(0), u64(size), root)
}

/** A cosignature binds names of at most 255 bytes. */
function isCosignable(name: string): boolean {
  return toUtf8(name).length <= 255
}

function named(text: string): Uint8Array {
  const bytes = toUtf8(text)
  demand(isCosignable(text))
  return concat(new Uint8Array([bytes.length]), bytes)
}

async function verify(
  key: Key, signature: Uint8Array<ArrayBuffer>, message: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  try {
    if (key.kind === SUBTREE) {
      const { ml_dsa44 } = await import('@noble/post-quantum/ml-dsa.js')
      return ml_dsa44.verify(signature, message, key.public)
    }
    const native = await nativeKey(key)
    if (native) return await crypto.subtle.verify('Ed25519', native, signature, message)
    return ed25519.verify(signature, message, key.public, { zip215: false })
  } catch {
    return false // not a signature, or not a key, of this length
  }
}

/** The key as the browser's own Ed25519 takes it, ten times as fast; not every browser has it, and
 * none outside of a secure context. */
async function nativeKey(key: Key): Promise<CryptoKey | null> {
  try {
    return await crypto.subtle.importKey('raw', key.public, 'Ed25519', false, ['verify'])
  } catch {
    return null
  }
}
