/** The tables in IndexedDB, one database for each person who uses this browser. */
import { type Change, type Store, type Table, TABLES, type Tables } from './store.ts'

const VERSION = 1
const nameOf = (personId: string) => `luciole-messages-${personId}`

export class BrowserStore implements Store {
  private readonly personId: string
  private opened: Promise<IDBDatabase> | null = null

  constructor(personId: string) {
    this.personId = personId
  }

  private db(): Promise<IDBDatabase> {
    this.opened ??= new Promise((resolve, reject) => {
      const asked = indexedDB.open(nameOf(this.personId), VERSION)
      asked.onupgradeneeded = () => {
        for (const table of TABLES) if (!asked.result.objectStoreNames.contains(table)) asked.result.createObjectStore(table)
      }
      asked.onsuccess = () => {
        const db = asked.result
        // Another tab deletes or renews it: let go.
        db.onversionchange = () => this.close()
        db.onclose = () => (this.opened = null)
        resolve(db)
      }
      asked.onerror = () => reject(asked.error)
    })
    this.opened.catch(() => (this.opened = null))
    return this.opened
  }

  async get<T extends Table>(table: T, key: string): Promise<Tables[T] | undefined> {
    return answer<Tables[T] | undefined>((await this.db()).transaction(table).objectStore(table).get(key))
  }

  async all<T extends Table>(table: T, prefix = ''): Promise<Tables[T][]> {
    const range = prefix ? IDBKeyRange.bound(prefix, `${prefix}\uffff`) : null
    return answer<Tables[T][]>((await this.db()).transaction(table).objectStore(table).getAll(range))
  }

  async write(changes: Change[]): Promise<void> {
    if (changes.length === 0) return
    const tables = [...new Set(changes.map(([table]) => table))]
    // Strict: what we tell others must not be forgotten when the power fails, or a key would be used twice.
    const step = (await this.db()).transaction(tables, 'readwrite', { durability: 'strict' })
    for (const [table, key, value] of changes) {
      if (value === undefined) step.objectStore(table).delete(key)
      else step.objectStore(table).put(value, key)
    }
    await new Promise<void>((resolve, reject) => {
      step.oncomplete = () => resolve()
      step.onabort = step.onerror = () => reject(step.error)
    })
  }

  private close(): void {
    void this.opened?.then((db) => db.close())
    this.opened = null
  }

  async wipe(): Promise<void> {
    this.close()
    await answer(indexedDB.deleteDatabase(nameOf(this.personId)))
  }
}

function answer<T>(asked: IDBRequest): Promise<T> {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result as T)
    asked.onerror = () => reject(asked.error)
  })
}
