/** What the cell offers to messages, as this client needs it; bytes are base64 text on the way. */
import { api } from '../../app/api/client.ts'
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

/** What the log says of a device, opened; `index` and `receipt` come when a published head covers it. */
export interface LogEntry {
  act: 'added' | 'revoked'
  n: number
  leaf: string
  nonce: string
  opening: string
  index: number | null
  receipt: string | null
}

/** A device in somebody's directory. */
export interface Listed {
  id: string
  signature_key: string
  made_at: string
  revoked_at: string | null
  entries: LogEntry[]
}

export interface Envelope {
  n: number
  conversation_id: string
  kind: 'welcome' | 'commit' | 'message'
  epoch: number
  body: string
  at: string
  message_id: string
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
  /** Too young for messages. */
  is_off: boolean
}

export type Reason = 'harassment' | 'threat' | 'sexual' | 'minor-at-risk' | 'spam' | 'fraud' | 'self-harm' | 'other'
export const REASONS: readonly Reason[] = ['harassment', 'threat', 'sexual', 'minor-at-risk', 'self-harm', 'fraud', 'spam', 'other']

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
  /** Without packages of the device that asks. */
  claim(handles: string[], deviceId: string): Promise<Claimed[]>
  conversations(): Promise<ConversationTold[]>
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
  accept(conversation: string): Promise<void>
  mute(conversation: string, isMuted: boolean): Promise<void>
  attach(conversation: string, bytes: Uint8Array): Promise<string>
  /** Null where it is not kept any more. */
  attachment(id: string): Promise<Uint8Array | null>
  settings(): Promise<MessageSettings>
  changeSettings(change: Partial<MessageSettings>): Promise<MessageSettings>
  report(what: { conversation_id: string; reason: Reason; items: ReportItem[] }): Promise<void>
}

export const base64 = toBase64
export const bytesOf = (text: string): Uint8Array<ArrayBuffer> => fromBase64(text)

const at = (...parts: string[]) => ['/api/messages', ...parts.map(encodeURIComponent)].join('/')
const items = <T>(path: string, query?: Record<string, string | number>) => api.get<{ items: T[] }>(path, query).then((told) => told.items)
const sealed = (bytes: Uint8Array) => new Blob([Uint8Array.from(bytes)], { type: 'application/octet-stream' })

/** The cell that this page came from. */
export const cell: Cell = {
  addDevice: (key, name) => api.post(at('devices'), { signature_key: base64(key), name }),
  devices: () => items(at('devices')),
  removeDevice: (id) => api.delete(at('devices', id)),
  directory: (handle) => items(at('people', handle, 'devices')),
  addPackages: (deviceId, packages, lastResort) =>
    api.post(at('devices', deviceId, 'key-packages'), { packages: packages.map(base64), ...(lastResort ? { last_resort: base64(lastResort) } : {}) }),
  packagesLeft: (deviceId) => api.get<{ left: number }>(at('devices', deviceId, 'key-packages')).then((told) => told.left),
  claim: (handles, deviceId) => api.post<{ items: Claimed[] }>(at('key-packages', 'claim'), { handles, device_id: deviceId }).then((told) => told.items),
  conversations: () => items(at('conversations')),
  create: (what) => api.post(at('conversations'), what),
  send: (conversation, what) => api.post(at('conversations', conversation, 'messages'), what),
  takeBack: (conversation, message, token) => api.delete(at('conversations', conversation, 'messages', message), { token }),
  commit: (conversation, what) => api.post(at('conversations', conversation, 'commits'), what),
  groupInfo: (conversation) => api.get<{ group_info: string }>(at('conversations', conversation, 'group-info')).then((told) => bytesOf(told.group_info)),
  inbox: (deviceId, limit) => items(at('devices', deviceId, 'inbox'), { limit }),
  ack: (deviceId, upTo) => api.post(at('devices', deviceId, 'acks'), { up_to: upTo }),
  signal: (conversation, deviceId, body) => api.post(at('conversations', conversation, 'signals'), { device_id: deviceId, body: base64(body) }),
  copy: () => api.bytes(at('backup')),
  putCopy: (bytes) => api.put(at('backup'), sealed(bytes)),
  deleteCopy: () => api.delete(at('backup')),
  leave: (conversation) => api.post(at('conversations', conversation, 'leave')),
  accept: (conversation) => api.post(at('conversations', conversation, 'accept')),
  mute: (conversation, isMuted) => (isMuted ? api.put(at('conversations', conversation, 'mute')) : api.delete(at('conversations', conversation, 'mute'))),
  attach: (conversation, bytes) => api.post<{ id: string }>(at('conversations', conversation, 'attachments'), sealed(bytes)).then((told) => told.id),
  attachment: (id) => api.bytes(at('attachments', id)),
  settings: () => api.get(at('settings')),
  changeSettings: (change) => api.patch(at('settings'), change),
  report: (what) => api.post(at('reports'), what),
}
