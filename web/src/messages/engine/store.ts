/** What this device keeps, and how: a few tables of plain values, changed in one step or not at all. */
import type { OwnPackage } from '../mls/packages.ts'
import type { SigningKey } from '../mls/suite.ts'
import type { Content } from '../payload.ts'
import type { ConversationTold, Person } from './cell.ts'

export interface Self {
  deviceId: string
  personId: string
  handle: string
  signing: SigningKey
  /** The last envelope that was taken in. */
  cursor: number
}

export interface KeptPackage extends OwnPackage {
  /** Stays after it was used: others can reach us when all others are used up. */
  isLast: boolean
  madeAt: number
}

export interface KeptGroup {
  groupId: string
  state: Uint8Array
  /** A commit that went out and was not answered yet: what the group is if the cell took it. */
  pending: { state: Uint8Array; commit: Uint8Array; epoch: number } | null
  renewedAt: number
}

export type Trouble = 'lost' | 'untrusted'

/** A conversation as this device knows it. */
export interface Conversation {
  id: string
  told: ConversationTold
  /** A group's name, which the cell does not know. */
  name: string
  unread: number
  /** When something last happened, in milliseconds; 0 where nothing has. */
  lastAt: number
  preview: Preview | null
  /** What the others have read up to: person to message. */
  readBy: Record<string, string>
  trouble: Trouble | null
  /** Nobody else is in it any more, or we are not. */
  isOver: boolean
  /** The safety number that the person has compared and found right. */
  compared: string | null
}

export interface Preview {
  mine: boolean
  kind: Content['kind'] | 'notice' | 'recalled'
  text: string
}

export type MessageState = 'sending' | 'sent' | 'failed' | 'received'

export interface Message {
  /** Of the message on all devices. */
  id: string
  conversationId: string
  /** Its place in the thread: as this device got to know it. */
  order: number
  at: number
  personId: string
  deviceId: string
  mine: boolean
  state: MessageState
  content: Content | Notice
  /** Code of the error, where sending failed. */
  problem?: string
  /** Of the envelope at the cell, and what takes it back. */
  envelopeId?: string
  token?: string
  /** FramedContentTBS and signature: what a report may show. */
  proof?: { content: Uint8Array; signature: Uint8Array }
}

export type Notice =
  | { kind: 'recalled' }
  | { kind: 'notice'; what: 'joined-device' | 'left-device' | 'joined' | 'left' | 'unreadable' | 'rejoined' | 'copied'; personId: string; name?: string }

export interface Outgoing {
  id: string
  conversationId: string
  data: Uint8Array
  epoch: number
  body: Uint8Array
  token: string
}

/** Bytes that this device sent, by their hash: the cell brings them back, which says that it took them. */
export interface Echo {
  conversationId: string
  id: string
}

export interface Tables {
  self: Self
  /** Of the recovery code: it cannot be read out. */
  copyKey: { key: CryptoKey; madeAt: number; savedAt: number }
  packages: KeptPackage
  groups: KeptGroup
  conversations: Conversation
  messages: Message
  outbox: Outgoing
  echoes: Echo
  people: Person
  /** Opened files, by the id of their attachment. */
  files: { bytes: Uint8Array; type: string }
}

export type Table = keyof Tables
export const TABLES: readonly Table[] = ['self', 'copyKey', 'packages', 'groups', 'conversations', 'messages', 'outbox', 'echoes', 'people', 'files']

/** One row that is written, or with no value removed. */
export type Change = { [T in Table]: [T, string, Tables[T] | undefined] }[Table]

export interface Store {
  get<T extends Table>(table: T, key: string): Promise<Tables[T] | undefined>
  /** All rows, or those whose key begins so, in the order of their keys. */
  all<T extends Table>(table: T, prefix?: string): Promise<Tables[T][]>
  /** All of it or nothing. */
  write(changes: Change[]): Promise<void>
  /** Everything goes. */
  wipe(): Promise<void>
}

/** The key of a message: those of a conversation lie together. */
export const messageKey = (conversationId: string, id: string) => `${conversationId}/${id}`
export const ONLY = 'only'

/** For tests, and for a browser that has no storage: it forgets with the page. */
export class MemoryStore implements Store {
  private readonly tables = new Map<string, Map<string, unknown>>()

  get<T extends Table>(table: T, key: string): Promise<Tables[T] | undefined> {
    return Promise.resolve(structuredClone(this.tables.get(table)?.get(key)) as Tables[T] | undefined)
  }

  all<T extends Table>(table: T, prefix = ''): Promise<Tables[T][]> {
    const rows = [...(this.tables.get(table) ?? [])].filter(([key]) => key.startsWith(prefix)).sort(([one], [other]) => (one < other ? -1 : 1))
    return Promise.resolve(rows.map(([, row]) => structuredClone(row) as Tables[T]))
  }

  write(changes: Change[]): Promise<void> {
    for (const [table, key, value] of changes) {
      const rows = this.tables.get(table) ?? new Map<string, unknown>()
      this.tables.set(table, rows)
      if (value === undefined) rows.delete(key)
      else rows.set(key, structuredClone(value))
    }
    return Promise.resolve()
  }

  wipe(): Promise<void> {
    this.tables.clear()
    return Promise.resolve()
  }
}
