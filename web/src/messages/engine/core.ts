/** What all acts on messages share: the store, the cell, the device, the directory, and one act at a time. */
import { ApiError } from '../../app/api/client.ts'
import { isEqual } from '../../verify/bytes.ts'
import { type Group, keep, restore } from '../mls/group.ts'
import type { Identity } from '../mls/identity.ts'
import { type Device, deviceOf } from '../mls/packages.ts'
import { bytesOf, type Cell, type Listed, type Person } from './cell.ts'
import type { Change, Conversation, KeptGroup, Self, Store } from './store.ts'
import { ONLY } from './store.ts'

/** Runs one act at a time, over all tabs of this browser. */
export type Lock = <T>(act: () => Promise<T>) => Promise<T>

/** Whether a device's key is in the cell's log; null where that cannot be told yet. */
export type Logged = (person: Person, device: Listed) => Promise<boolean | null>

/** A device that is gone from here: it was removed, or never set up. */
export class NoDevice extends Error {}

const DIRECTORY_MS = 5 * 60_000

export class Core {
  readonly store: Store
  readonly cell: Cell
  readonly lock: Lock
  /** Told which conversations have changed; null means the list as a whole. */
  readonly changed: (conversationId: string | null) => void
  private readonly logged: Logged
  private readonly directories = new Map<string, { at: number; devices: Listed[] }>()
  private readonly now: () => number

  constructor(parts: { store: Store; cell: Cell; lock: Lock; changed: (conversationId: string | null) => void; logged?: Logged; now?: () => number }) {
    this.store = parts.store
    this.cell = parts.cell
    this.lock = parts.lock
    this.changed = parts.changed
    this.logged = parts.logged ?? (() => Promise.resolve(null))
    this.now = parts.now ?? Date.now
  }

  get time(): number {
    return this.now()
  }

  async self(): Promise<Self> {
    const self = await this.store.get('self', ONLY)
    if (!self) throw new NoDevice()
    return self
  }

  async device(): Promise<Device> {
    const { personId, deviceId, signing } = await this.self()
    return deviceOf({ personId, deviceId }, signing)
  }

  async group(conversationId: string): Promise<{ kept: KeptGroup; group: Group } | null> {
    const kept = await this.store.get('groups', conversationId)
    return kept ? { kept, group: restore(kept.state, this.vouch) } : null
  }

  kept(conversationId: string, kept: KeptGroup, group: Group): Change {
    return ['groups', conversationId, { ...kept, state: keep(group) }]
  }

  async conversation(id: string): Promise<Conversation | undefined> {
    return this.store.get('conversations', id)
  }

  async learn(people: Person[]): Promise<void> {
    await this.store.write(people.map((person) => ['people', person.person_id, person]))
  }

  /** The devices of somebody, as the cell's directory has them. */
  async directory(personId: string, isFresh = false): Promise<Listed[]> {
    const known = this.directories.get(personId)
    if (known && !isFresh && this.now() - known.at < DIRECTORY_MS) return known.devices
    const person = (await this.store.get('people', personId)) ?? (await this.meet(personId))
    if (!person) return []
    const devices = await this.cell.directory(person.handle).catch((problem: unknown) => {
      // Whoever has blocked us, or is gone, has no directory for us: what we know is what there is.
      if (problem instanceof ApiError && problem.status === 404) return known?.devices ?? []
      throw problem
    })
    this.directories.set(personId, { at: this.now(), devices })
    return devices
  }

  /** Somebody who was added a moment ago: the cell says who is in our conversations. */
  private async meet(personId: string): Promise<Person | undefined> {
    await this.learn((await this.cell.conversations()).flatMap((each) => each.members))
    return this.store.get('people', personId)
  }

  /** Whether a key is that device's. A removed device is still whose it was: it is removed from groups by a commit. */
  readonly vouch = async ({ personId, deviceId }: Identity, key: Uint8Array): Promise<boolean> => {
    const self = await this.store.get('self', ONLY)
    if (self?.deviceId === deviceId) return self.personId === personId && isEqual(self.signing.publicKey, key)
    let listed = (await this.directory(personId)).find((device) => device.id === deviceId)
    listed ??= (await this.directory(personId, true)).find((device) => device.id === deviceId)
    if (!listed || !isEqual(bytesOf(listed.signature_key), key)) return false
    const person = await this.store.get('people', personId)
    return person !== undefined && (await this.logged(person, listed)) !== false
  }

  /** A number for the next message of a thread, above all others. */
  nextOrder(): number {
    this.lastOrder = Math.max(this.lastOrder + 1, this.now() * 1000)
    return this.lastOrder
  }
  private lastOrder = 0
}

/** Nobody answered, or not now: the same can be tried again. */
export function isPassing(problem: unknown): boolean {
  return problem instanceof ApiError && (problem.status === 0 || problem.status === 429 || problem.status >= 500)
}
