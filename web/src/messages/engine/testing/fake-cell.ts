/** A delivery service in memory, for tests: it keeps the rules that the engine counts on, and can be made to fail. */
import { sha256 } from '@noble/hashes/sha2.js'
import { ApiError } from '../../../app/api/client.ts'
import { fromBase64, toBase64 } from '../../../verify/bytes.ts'
import type { Cell, Commit, ConversationTold, DeviceTold, Envelope, Listed, Person, Welcoming } from '../cell.ts'

interface Kept {
  device: DeviceTold
  personId: string
  packages: string[]
  last: string | null
  inbox: Envelope[]
  n: number
}

interface Group {
  id: string
  kind: 'pair' | 'group'
  members: Set<string>
  seats: Set<string>
  epoch: number
  info: string
}

const refuse = (status: number, code: string) => new ApiError(status, code, '', '')

export class FakeCell {
  readonly people = new Map<string, Person>()
  readonly devices = new Map<string, Kept>()
  readonly groups = new Map<string, Group>()
  readonly recalls = new Map<string, { hash: string; envelopes: [Kept, Envelope][] }>()
  readonly files = new Map<string, Uint8Array>()
  copy: Uint8Array | null = null
  /** Called before each request; may throw, to be a network that fails. */
  before: (name: string, personId: string) => void = () => undefined
  /** Called after each request has been done; may throw, to lose an answer. */
  after: (name: string, personId: string) => void = () => undefined

  person(handle: string): Person {
    const person = { person_id: crypto.randomUUID(), handle, display_name: handle, avatar_url: null }
    this.people.set(person.person_id, person)
    return person
  }

  /** The cell as one person sees it. */
  as(personId: string): Cell {
    const own = this.calls(personId)
    return Object.fromEntries(
      Object.entries(own).map(([name, call]) => [
        name,
        async (...args: unknown[]) => {
          this.before(name, personId)
          const answer = await (call as (...all: unknown[]) => Promise<unknown>)(...args)
          this.after(name, personId)
          return structuredClone(answer)
        },
      ]),
    ) as unknown as Cell
  }

  private byHandle(handle: string): Person {
    const found = [...this.people.values()].find((person) => person.handle === handle)
    if (!found) throw refuse(404, 'not-found')
    return found
  }

  private of(personId: string): Kept[] {
    return [...this.devices.values()].filter((kept) => kept.personId === personId && !kept.device.revoked_at)
  }

  private told(group: Group): ConversationTold {
    const members = [...group.members].map((id) => this.people.get(id)!)
    return { id: group.id, kind: group.kind, folder: 'inbox', members, epoch: group.epoch, is_muted: false, is_over: group.members.size < 2, updated_on: '2026-01-01' }
  }

  private group(id: string, personId: string): Group {
    const group = this.groups.get(id)
    if (!group?.members.has(personId)) throw refuse(404, 'no-such-conversation')
    return group
  }

  private deliver(group: Group, from: string, kind: Envelope['kind'], epoch: number, body: string, to?: string[]): [Kept, Envelope][] {
    const sent: [Kept, Envelope][] = []
    const message_id = crypto.randomUUID()
    for (const seat of to ?? group.seats) {
      const kept = this.devices.get(seat)!
      if ((seat === from && kind === 'welcome') || kept.device.revoked_at || !group.members.has(kept.personId)) continue
      const envelope = { n: ++kept.n, conversation_id: group.id, kind, epoch, body, at: new Date().toISOString(), message_id }
      kept.inbox.push(envelope)
      sent.push([kept, envelope])
    }
    return sent
  }

  private welcome(group: Group, from: string, welcomes: Welcoming[]): void {
    for (const { device_ids, body } of welcomes) {
      for (const id of device_ids) group.seats.add(id)
      this.deliver(group, from, 'welcome', group.epoch, body, device_ids)
    }
  }

  private calls(personId: string): Cell {
    const mine = (id: string): Kept => {
      const kept = this.devices.get(id)
      if (kept?.personId !== personId) throw refuse(404, 'no-such-device')
      return kept
    }
    return {
      addDevice: async (key, name) => {
        const id = crypto.randomUUID()
        const device = { id, name, signature_key: toBase64(key), made_at: '2026-01-01T00:00:00Z', seen_on: '2026-01-01', revoked_at: null }
        this.devices.set(id, { device, personId, packages: [], last: null, inbox: [], n: 0 })
        return { id }
      },
      devices: async () => [...this.devices.values()].filter((kept) => kept.personId === personId).map((kept) => kept.device),
      removeDevice: async (id) => {
        mine(id).device.revoked_at = '2026-01-02T00:00:00Z'
        for (const group of this.groups.values()) group.seats.delete(id)
      },
      directory: async (handle) => {
        const owner = this.byHandle(handle).person_id
        return [...this.devices.values()].filter((kept) => kept.personId === owner).map(({ device }): Listed => ({ ...device, entries: [] }))
      },
      addPackages: async (id, packages, last) => {
        mine(id).packages.push(...packages.map(toBase64))
        if (last) mine(id).last = toBase64(last)
      },
      packagesLeft: async (id) => mine(id).packages.length,
      claim: async (handles, but) =>
        handles.flatMap((handle) =>
          this.of(this.byHandle(handle).person_id).filter((kept) => kept.device.id !== but).flatMap((kept) => {
            const taken = kept.packages.shift() ?? kept.last
            return taken ? [{ handle, person_id: kept.personId, device_id: kept.device.id, package: taken }] : []
          }),
        ),
      conversations: async () => [...this.groups.values()].filter((group) => group.members.has(personId)).map((group) => this.told(group)),
      create: async ({ device_id, kind, members, welcomes, group_info }) => {
        const ids = new Set([personId, ...members.map((handle) => this.byHandle(handle).person_id)])
        const isThere = kind === 'pair' && [...this.groups.values()].some((group) => group.kind === 'pair' && [...ids].every((id) => group.members.has(id)))
        if (isThere) throw refuse(409, 'pair-exists')
        const group: Group = { id: crypto.randomUUID(), kind, members: ids, seats: new Set([device_id]), epoch: 1, info: group_info }
        this.groups.set(group.id, group)
        this.welcome(group, device_id, welcomes)
        return this.told(group)
      },
      send: async (id, { device_id, epoch, body, recall_hash }) => {
        const group = this.group(id, personId)
        if (!group.seats.has(device_id)) throw refuse(409, 'not-seated')
        if (epoch !== group.epoch) throw refuse(409, 'epoch-passed')
        const envelopes = this.deliver(group, device_id, 'message', epoch, body)
        const message = envelopes[0]?.[1].message_id ?? crypto.randomUUID()
        this.recalls.set(message, { hash: recall_hash, envelopes })
        return { id: message, at: new Date().toISOString() }
      },
      takeBack: async (_id, message, token) => {
        const kept = this.recalls.get(message)
        if (!kept || toBase64(sha256(fromBase64(token))) !== kept.hash) throw refuse(404, 'not-found')
        for (const [device, envelope] of kept.envelopes) device.inbox = device.inbox.filter((each) => each !== envelope)
      },
      commit: async (id, told: Commit) => {
        const group = this.group(id, personId)
        if (told.epoch !== group.epoch) throw refuse(409, 'epoch-passed')
        this.deliver(group, told.device_id, 'commit', told.epoch, told.commit)
        group.epoch += 1
        group.info = told.group_info
        group.seats.add(told.device_id)
        for (const handle of told.adds) group.members.add(this.byHandle(handle).person_id)
        for (const handle of told.removes) {
          const gone = this.byHandle(handle).person_id
          group.members.delete(gone)
          for (const seat of group.seats) if (this.devices.get(seat)!.personId === gone) group.seats.delete(seat)
        }
        this.welcome(group, told.device_id, told.welcomes)
        return { epoch: group.epoch }
      },
      groupInfo: async (id) => fromBase64(this.group(id, personId).info),
      inbox: async (id, limit) => mine(id).inbox.slice(0, limit),
      ack: async (id, upTo) => {
        mine(id).inbox = mine(id).inbox.filter((envelope) => envelope.n > upTo)
      },
      signal: async () => undefined,
      copy: async () => this.copy,
      putCopy: async (bytes) => void (this.copy = bytes),
      deleteCopy: async () => void (this.copy = null),
      accept: async () => undefined,
      mute: async () => undefined,
      attach: async (_id, bytes) => {
        const id = crypto.randomUUID()
        this.files.set(id, bytes)
        return id
      },
      attachment: async (id) => this.files.get(id) ?? null,
      settings: async () => ({ who: 'everyone', typing: false, read_marks: false, is_off: false }),
      changeSettings: async () => ({ who: 'everyone', typing: false, read_marks: false, is_off: false }),
      report: async () => undefined,
      leave: async (id) => {
        const group = this.group(id, personId)
        group.members.delete(personId)
        for (const seat of group.seats) if (this.devices.get(seat)!.personId === personId) group.seats.delete(seat)
      },
    }
  }
}
