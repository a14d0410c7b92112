/** What the cell offers to messages, as this client needs it; bytes are base64 text on the way. */
import { api, personPath } from '../../app/api/client.ts'
import { fromBase64, toBase64 } from '../../verify/bytes.ts'

export interface Person {
  person_id: string
  handle: string
  display_name: string
  avatar_url: string | null
}

export type Folder = 'inbox' | 'requests'

export interface ConversationTold {
  id: string
  kind: 'pair' | 'group'
  folder: Folder
  members: Person[]
  epoch: number
  is_muted: boolean
  is_over: boolean
  updated_on: string
}

export interface DeviceTold {
  id: string
  name: string
  signature_key: string
  made_at: string
  seen_on: string
  revoked_at: string | null
}

/** A device in somebody's directory; `ledger` is what shows that its key is in the cell's log. */
export interface Listed {
  id: string
  signature_key: string
  made_at: string
  revoked_at: string | null
  ledger: unknown
}

export interface Envelope {
  n: number
  conversation_id: string
  kind: 'welcome' | 'commit' | 'message'
  epoch: number
  body: string
  at: string
  message_id: string | null
}

export interface Claimed {
  handle: string
  person_id: string
  device_id: string
  package: string
}

export interface Welcoming {
  device_ids: string[]
  body: string
}

export interface Commit {
  device_id: string
  epoch: number
  commit: string
  welcomes: Welcoming[]
  group_info: string
  adds: string[]
  removes: string[]
}

export interface MessageSettings {
  who: 'everyone' | 'friends' | 'nobody'
  typing: boolean
  read_marks: boolean
}

export interface ReportItem {
  device_id: string
  content: string
  signature: string
}

export interface Cell {
  addDevice(key: Uint8Array, name: string): Promise<{ id: string }>
  devices(): Promise<DeviceTold[]>
  removeDevice(id: string): Promise<void>
  directory(handle: string): Promise<Listed[]>
  addPackages(deviceId: string, packages: Uint8Array[], lastResort?: Uint8Array): Promise<void>
  packagesLeft(deviceId: string): Promise<number>
  claim(handles: string[]): Promise<Claimed[]>
  conversations(folder: Folder): Promise<ConversationTold[]>
  create(what: { device_id: string; kind: 'pair' | 'group'; members: string[]; welcomes: Welcoming[]; group_info: string }): Promise<ConversationTold>
  send(conversation: string, what: { device_id: string; epoch: number; body: string; recall_hash: string }): Promise<{ id: string; at: string }>
  takeBack(conversation: string, message: string, token: string): Promise<void>
  commit(conversation: string, what: Commit): Promise<{ epoch: number }>
  groupInfo(conversation: string): Promise<Uint8Array>
  inbox(deviceId: string, limit: number): Promise<Envelope[]>
  ack(deviceId: string, upTo: number): Promise<void>
  signal(conversation: string, deviceId: string, body: Uint8Array): Promise<void>
  copy(): Promise<Uint8Array | null>
  putCopy(bytes: Uint8Array): Promise<void>
  deleteCopy(): Promise<void>
  leave(conversation: string): Promise<void>
}

export const base64 = toBase64
export const bytesOf = (text: string): Uint8Array<ArrayBuffer> => fromBase64(text)

const at = (...parts: string[]) => ['/api/messages', ...parts.map(encodeURIComponent)].join('/')
