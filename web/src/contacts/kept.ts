/**
 * What this device keeps of look-ups, so that a contact counts once: values under numbers that only this
 * browser can make, sealed with a key that cannot leave it. No number, address or name is in it.
 */

const VERSION = 1
const STORE = 'values'
const OTHERS = 4096

interface Secrets {
  names: CryptoKey
  seals: CryptoKey
}

export const nameOf = (person: string): string => `luciole.contacts.${person}`

export class Kept {
  private readonly db: IDBDatabase
  private readonly secrets: Secrets
  /** Which keys of the cells the values are of. */
  private readonly round: string

  private constructor(db: IDBDatabase, secrets: Secrets, round: string) {
    this.db = db
    this.secrets = secrets
    this.round = round
  }

  /** Null where the browser keeps nothing (private windows of some). */
  static async open(person: string, round: string): Promise<Kept | null> {
    try {
      const asked = indexedDB.open(nameOf(person), VERSION)
      asked.onupgradeneeded = () => {
        asked.result.createObjectStore(STORE)
        asked.result.createObjectStore('secrets')
      }
      const db = await answer(asked)
      const fresh: Secrets = {
        names: await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign']),
        seals: await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']),
      }
      const place = db.transaction('secrets', 'readwrite').objectStore('secrets')
      const known = (await answer(place.get('own'))) as Secrets | undefined
      if (!known) await answer(place.put(fresh, 'own'))
      // Values of keys that are over find nobody any more.
      const both = db.transaction(['secrets', STORE], 'readwrite')
      const former: unknown = await answer(both.objectStore('secrets').get('round'))
      if (former !== round) {
        await answer(both.objectStore(STORE).clear())
        await answer(both.objectStore('secrets').put(round, 'round'))
      }
      return new Kept(db, known ?? fresh, round)
    } catch {
      return null
    }
  }

  close(): void {
    this.db.close()
  }

  /** The values that are kept of these texts; null where there is none. */
  async get(texts: string[]): Promise<(Uint8Array | null)[]> {
    const names = await Promise.all(texts.map((text) => this.name(text)))
    const place = this.db.transaction(STORE).objectStore(STORE)
    const sealed = await Promise.all(names.map((name) => answer(place.get(name)) as Promise<Uint8Array<ArrayBuffer> | undefined>))
    return Promise.all(sealed.map((bytes) => (bytes ? this.opened(bytes) : null)))
  }

  async put(texts: string[], values: Uint8Array[]): Promise<void> {
    const rows = await Promise.all(
      texts.map(async (text, i) => {
        const iv = crypto.getRandomValues(new Uint8Array(12))
        const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, this.secrets.seals, values[i]! as BufferSource))
        const row = new Uint8Array(12 + sealed.length)
        row.set(iv)
        row.set(sealed, 12)
        return [await this.name(text), row] as const
      }),
    )
    const transaction = this.db.transaction(STORE, 'readwrite')
    const place = transaction.objectStore(STORE)
    for (const [name, row] of rows) place.put(row, name)
    await new Promise<void>((done, failed) => {
      transaction.oncomplete = () => done()
      transaction.onerror = transaction.onabort = () => failed(transaction.error)
    })
  }

  /** Numbers that are always the same on this device, and no others'. */
  async others(): Promise<Uint32Array> {
    const blocks = await Promise.all(Array.from({ length: OTHERS / 8 }, (_, i) => this.mac(`others\0${i}`)))
    const numbers = new Uint32Array(OTHERS)
    blocks.forEach((block, i) => numbers.set(new Uint32Array(block), 8 * i))
    return numbers
  }

  private name(text: string): Promise<ArrayBuffer> {
    return this.mac(`value\0${this.round}\0${text}`)
  }

  private mac(text: string): Promise<ArrayBuffer> {
    return crypto.subtle.sign('HMAC', this.secrets.names, new TextEncoder().encode(text))
  }

  private async opened(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array | null> {
    try {
      return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv: bytes.slice(0, 12) }, this.secrets.seals, bytes.slice(12)))
    } catch {
      return null
    }
  }
}

/** Forgets everything that this browser keeps of a person's look-ups. */
export function forget(person: string): void {
  try {
    indexedDB.deleteDatabase(nameOf(person))
  } catch {
    // A browser that keeps nothing has nothing to forget.
  }
}

function answer<T>(asked: IDBRequest<T>): Promise<T> {
  return new Promise((done, failed) => {
    asked.onsuccess = () => done(asked.result)
    asked.onerror = () => failed(asked.error)
  })
}
