/** A look for people whom one knows, from the first byte to the last: the page's side of `finder.ts`. */
import { api, ApiError } from '../app/api/client.ts'
import type { Asked, Told } from './finder.ts'
import type { Contact } from './numbers.ts'

export interface Terms {
  is_offered: boolean
  other_cell: { name: string; operator: string; jurisdiction: string } | null
  /** The number of the key that is in use, and both its public halves in hex. */
  round: number
  keys: string[]
  first_points: number
  points_per_day: number
  left: number
  code_kinds: Kind[]
  mine: { kind: Kind; is_verified: boolean; is_findable: boolean; can_verify: boolean }[]
}
export type Kind = 'email' | 'phone'
export interface Match {
  handle: string
  names: string[]
}
export type Phase = 'idle' | 'hiding' | 'asking' | 'looking' | 'done'

const AT_ONCE = 1000
const TRIES = 3

const isOver = (problem: unknown): boolean => problem instanceof ApiError && problem.code === 'contacts-keys-changed'

export class Finding {
  phase = $state<Phase>('idle')
  problem = $state<unknown>(null)
  matches = $state.raw<Match[]>([])
  looked = $state(0)
  private worker: Worker | null = null

  async look(person: string, terms: Terms, contacts: Contact[]): Promise<void> {
    this.problem = null
    this.matches = []
    this.looked = contacts.length
    try {
      const found = await this.values(person, terms, contacts).catch(async (problem: unknown) => {
        // The cells have changed their key meanwhile: all values are others now, so from the start.
        if (!isOver(problem)) throw problem
        return this.values(person, await api.get<Terms>('/api/contacts/'), contacts)
      })
      const names = new Map(contacts.map((contact) => [contact.text, contact.name]))
      const byHandle = new Map<string, string[]>()
      for (const { text, handle } of found) {
        const name = names.get(text)
        const known = byHandle.get(handle) ?? []
        if (name && !known.includes(name)) known.push(name)
        byHandle.set(handle, known)
      }
      this.matches = [...byHandle].map(([handle, known]) => ({ handle, names: known }))
      this.phase = 'done'
    } catch (caught) {
      this.problem = caught
      this.phase = 'idle'
    }
  }

  /** All of it under one key. Throws `contacts-keys-changed` where that is over. */
  private async values(person: string, terms: Terms, contacts: Contact[]): Promise<{ text: string; handle: string }[]> {
    this.phase = 'hiding'
    const keys = terms.keys.map((key) => Uint8Array.from(key.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)))
    const texts = contacts.map((contact) => contact.text)
    let { missing } = await this.ask({ do: 'begin', person, keys, texts }, 'begun')
    if (missing > terms.left) throw new ApiError(429, 'contacts-asked-too-much', '', '')
    for (; missing > 0; missing -= AT_ONCE) {
      this.phase = 'hiding'
      const { points } = await this.ask({ do: 'blind', most: AT_ONCE }, 'points')
      this.phase = 'asking'
      const answer = await api.exchange(`/api/contacts/points?round=${terms.round}`, new Blob([points as BlobPart]))
      await this.ask({ do: 'finish', answer }, 'finished')
    }
    this.phase = 'looking'
    return this.match(terms.round)
  }

  /** Ends the worker, and with it all that it knew. */
  end(): void {
    this.worker?.terminate()
    this.worker = null
  }

  /** Who can be found may change while one looks: then from the filter on, once more. */
  private async match(round: number): Promise<{ text: string; handle: string }[]> {
    for (let left = TRIES; ; left--) {
      try {
        const head = await api.bytes('/api/contacts/filter')
        const wanted = await this.ask({ do: 'head', bytes: head ?? new Uint8Array() }, 'parts')
        if (wanted.round !== round) throw new ApiError(409, 'contacts-keys-changed', '', '')
        const parts = wanted.bits ? await api.exchange('/api/contacts/filter', { bits: wanted.bits, indexes: wanted.indexes }) : null
        const buckets = await this.ask({ do: 'match', parts }, 'buckets')
        const pages: Uint8Array[] = []
        for (let at = 0; at < buckets.indexes.length; at += 64) pages.push(await api.exchange('/api/contacts/buckets', { bits: buckets.bits, indexes: buckets.indexes.slice(at, at + 64) }))
        const whole = new Uint8Array(await new Blob(pages as BlobPart[]).arrayBuffer())
        return (await this.ask({ do: 'open', pages: whole }, 'found')).found
      } catch (problem) {
        if (!(problem instanceof ApiError && problem.code === 'contacts-filter-changed') || left <= 1) throw problem
      }
    }
  }

  private ask<T extends Told['told']>(asked: Asked, expected: T): Promise<Extract<Told, { told: T }>> {
    this.worker ??= new Worker(new URL('./finder.ts', import.meta.url), { type: 'module' })
    const worker = this.worker
    return new Promise((done, failed) => {
      const settle = (act: () => void) => {
        worker.removeEventListener('message', heard)
        worker.removeEventListener('error', broke)
        act()
      }
      const heard = (event: MessageEvent<Told>) => {
        const told = event.data
        if (told.told === expected) settle(() => done(told as Extract<Told, { told: T }>))
        else settle(() => failed(new ApiError(0, told.told === 'wrong' && told.code === 'bad-proof' ? 'contacts-other-cell-wrong' : 'contacts-failed', '', '')))
      }
      const broke = () => settle(() => failed(new ApiError(0, 'contacts-failed', '', '')))
      worker.addEventListener('message', heard)
      worker.addEventListener('error', broke)
      worker.postMessage(asked)
    })
  }
}
