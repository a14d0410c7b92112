/**
 * The work that the cell asks of a device before an account: the number below `tries` whose hash begins with what was told. It is
 * begun while the form is filled in, by the browser's own machine code, so that a person hardly waits and a program pays each time.
 */
import { api } from '../app/api/client.ts'

export interface Work {
  challenge: string
  salt: string
  told: string
  iterations: number
  tries: number
}
export interface Done {
  challenge: string
  answer: string
}

/** The cell takes an answer for an hour; one that lay for longer than this is made anew. */
const FRESH_MS = 50 * 60_000

/** What is sent for the work, or null where the cell asks for none. */
export async function done(work: Work): Promise<Done | null> {
  if (work.tries === 0) return null
  const salt = fromBase64Url(work.salt)
  const told = fromBase64Url(work.told)
  for (let number = 0; number < work.tries; number += 1) {
    const found = await hashed(salt, number, work.iterations)
    if (told.every((byte, place) => byte === found[place])) return { challenge: work.challenge, answer: toBase64Url(found.subarray(16)) }
  }
  throw new Error('no number fits')
}

/** Work that is under way, good once. */
export class Effort {
  #begun: { at: number; promise: Promise<Done | null> } | null = null

  begin(): void {
    if (this.#begun && Date.now() - this.#begun.at < FRESH_MS) return
    const promise = api.post<Work>('/api/sign-up/work', {}).then(done)
    // Whoever takes it hears of a failure; until then it is nobody's.
    promise.catch(() => undefined)
    this.#begun = { at: Date.now(), promise }
  }

  async take(): Promise<Done | null> {
    this.begin()
    const { promise } = this.#begun ?? { promise: Promise.resolve(null) }
    this.#begun = null
    return promise
  }
}

async function hashed(salt: Uint8Array<ArrayBuffer>, number: number, iterations: number): Promise<Uint8Array> {
  const password = new Uint8Array(4)
  new DataView(password.buffer).setUint32(0, number)
  const key = await crypto.subtle.importKey('raw', password, 'PBKDF2', false, ['deriveBits'])
  return new Uint8Array(await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations }, key, 256))
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (sign) => sign.charCodeAt(0))
}

function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}
