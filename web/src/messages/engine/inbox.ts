/** What waits for this device, taken in one by one: each step is kept whole before the next, and before the cell may forget it. */
import { sha256 } from '@noble/hashes/sha2.js'
import { isEqual, Malformed, toHex } from '../../verify/bytes.ts'
import { epochOf, isActive, type Group, keep, membersOf, receive, Refused, restore } from '../mls/group.ts'
import type { Identity, Member } from '../mls/identity.ts'
import { readHandshakeOrMessage } from '../mls/wire.ts'
import { type Payload, readPayload } from '../payload.ts'
import { bytesOf, type Envelope } from './cell.ts'
import { type Core, isPassing } from './core.ts'
import { byWelcome, rejoin } from './joining.ts'
import { refresh, withMessage } from './list.ts'
import { noticed } from './notices.ts'
import { type Change, type Conversation, type Echo, type KeptGroup, type Message, messageKey, ONLY } from './store.ts'

const PAGE = 100

/** Takes in everything that waits. The caller holds the lock. Returns how many messages of others came. */
export async function take(core: Core): Promise<number> {
  let news = 0
  for (;;) {
    const self = await core.self()
    const page = await core.cell.inbox(self.deviceId, PAGE)
    for (const envelope of page) if (envelope.n > (await core.self()).cursor) news += await one(core, envelope)
    const last = page.at(-1)
    if (!last) return news
    await core.cell.ack(self.deviceId, last.n)
  }
}

async function one(core: Core, envelope: Envelope): Promise<number> {
  const self = await core.self()
  const done: Change = ['self', ONLY, { ...self, cursor: envelope.n }]
  const conversation = await known(core, envelope.conversation_id)
  if (!conversation) {
    await core.store.write([done])
    return 0
  }
  let changes: Change[] = []
  let counts = 0
  try {
    const body = bytesOf(envelope.body)
    const own = envelope.kind === 'message' ? await core.store.get('echoes', toHex(sha256(body))) : undefined
    if (own) changes = await taken(core, own, envelope, toHex(sha256(body)))
    else if (envelope.kind === 'welcome') changes = await welcomedInto(core, conversation, body)
    else ({ changes, counts } = await intoGroup(core, conversation, body, envelope))
  } catch (problem) {
    // Not an answer about these bytes: stop here, and try the same again later.
    if (isPassing(problem)) throw problem
    changes = troubled(core, conversation, problem, self)
  }
  await core.store.write([...changes, done])
  core.changed(conversation.id)
  const group = await core.store.get('groups', conversation.id)
  const after = await core.conversation(conversation.id)
  if (after?.trouble === 'lost' && group !== undefined) await rejoin(core, conversation.id)
  return counts
}

/** The copy of what this device sent itself: the cell took it, also where its answer was lost. */
async function taken(core: Core, { conversationId, id }: Echo, { message_id }: Envelope, hash: string): Promise<Change[]> {
  const changes: Change[] = [['echoes', hash, undefined], ['outbox', id, undefined]]
  const message = await core.store.get('messages', messageKey(conversationId, id))
  if (message?.content.kind !== 'recalled' && message) changes.push(['messages', messageKey(conversationId, id), { ...message, state: 'sent', envelopeId: message_id, problem: undefined }])
  return changes
}

async function known(core: Core, id: string): Promise<Conversation | undefined> {
  return (await core.conversation(id)) ?? (await refresh(core)).find((each) => each.id === id)
}

async function welcomedInto(core: Core, conversation: Conversation, body: Uint8Array): Promise<Change[]> {
  const changes = await byWelcome(core, conversation, body)
  if (changes === null) return core.store.get('groups', conversation.id).then((kept) => (kept ? [] : [['conversations', conversation.id, { ...conversation, trouble: 'lost' }]]))
  return [...changes, ['conversations', conversation.id, { ...conversation, trouble: null }]]
}

interface Step {
  changes: Change[]
  counts: number
}

async function intoGroup(core: Core, conversation: Conversation, body: Uint8Array, envelope: Envelope): Promise<Step> {
  const found = await core.group(conversation.id)
  // Before this device joined: it is for others.
  if (!found) return { changes: [], counts: 0 }
  let { kept, group } = found
  const message = readHandshakeOrMessage(body)
  const epoch = Number(message.wireformat === 'mls_private_message' ? message.privateMessage.epoch : message.publicMessage.content.epoch)
  const isCommit = envelope.kind === 'commit'
  // A commit of ours was taken, though its answer never came: what builds on it shows so.
  if (kept.pending && epoch === kept.pending.epoch + 1) {
    group = restore(kept.pending.state, core.vouch)
    kept = { ...kept, pending: null }
  }
  // Our own commit came back: it was taken.
  if (kept.pending && isCommit && isEqual(kept.pending.commit, body)) {
    return { changes: [['groups', conversation.id, { ...kept, state: kept.pending.state, pending: null, renewedAt: core.time }]], counts: 0 }
  }
  if (isCommit && epoch < epochOf(group)) return { changes: [], counts: 0 }
  if (epoch > epochOf(group)) return { changes: [['conversations', conversation.id, { ...conversation, trouble: 'lost' }]], counts: 0 }
  const received = await receive(group, body)
  const next: KeptGroup = { ...kept, state: keep(received.group), pending: received.kind === 'commit' ? null : kept.pending }
  const saved: Change = ['groups', conversation.id, next]
  if (received.kind === 'commit') return { changes: [saved, ...told(core, conversation, received.group, received)], counts: 0 }
  const { from, proof } = received
  const payload = readable(received.data)
  if (!payload) return { changes: [saved, ...noticed(core, conversation, { what: 'unreadable', personId: from.personId }, from.deviceId)], counts: 0 }
  const said = await saying(core, conversation, payload, from, envelope, proof)
  return { changes: [saved, ...said.changes], counts: said.counts }
}

function readable(data: Uint8Array): Payload | null {
  try {
    return readPayload(data)
  } catch (problem) {
    if (problem instanceof Malformed) return null
    throw problem
  }
}

/** What a commit is told as in the thread. */
function told(core: Core, conversation: Conversation, after: Group, { by, joined, left }: { by: Member; joined: Member[]; left: Member[] }): Change[] {
  const changes: Change[] = []
  let now = conversation
  const say = (what: Parameters<typeof noticed>[2], deviceId: string) => {
    const added = noticed(core, now, what, deviceId)
    changes.push(...added)
    now = added.map(([table, , value]) => (table === 'conversations' ? (value as Conversation) : null)).find((each) => each !== null) ?? now
  }
  if (!isActive(after)) {
    now = { ...now, isOver: true }
    say({ what: 'left', personId: by.personId }, by.deviceId)
    return changes
  }
  for (const personId of new Set(joined.map((member) => member.personId))) {
    const device = joined.find((member) => member.personId === personId)!
    // Somebody who brings a device themselves was here before; somebody else is added by another.
    say({ what: by.personId === personId ? 'joined-device' : 'joined', personId }, device.deviceId)
  }
  for (const personId of new Set(left.map((member) => member.personId))) {
    const isHere = membersOf(after).some((member) => member.personId === personId)
    say({ what: isHere ? 'left-device' : 'left', personId }, by.deviceId)
  }
  // Whoever has compared safety numbers must do so anew.
  return joined.length > 0 ? changes.map((change) => (change[0] === 'conversations' && change[2] ? ['conversations', change[1], { ...change[2], compared: null }] : change)) : changes
}

async function saying(core: Core, conversation: Conversation, payload: Payload, from: Identity, envelope: Envelope, proof: Message['proof']): Promise<Step> {
  const self = await core.self()
  const mine = from.personId === self.personId
  const { content } = payload
  if (content.kind === 'recall') return { changes: await recalled(core, conversation, content.target, from.personId), counts: 0 }
  // The same message twice (sent again after a lost answer) is one message.
  if (await core.store.get('messages', messageKey(conversation.id, payload.id))) return { changes: [], counts: 0 }
  const message: Message = {
    id: payload.id, conversationId: conversation.id, order: core.nextOrder(), at: Date.parse(envelope.at), personId: from.personId, deviceId: from.deviceId, mine,
    state: 'received', content, envelopeId: envelope.message_id, proof: mine ? undefined : proof,
  }
  const counts = !mine && content.kind !== 'name'
  let now = withMessage(conversation, message, counts)
  if (content.kind === 'name') now = { ...now, name: content.name }
  return { changes: [['messages', messageKey(conversation.id, message.id), message], ['conversations', conversation.id, now]], counts: counts ? 1 : 0 }
}

/** A message that its sender took back: only they can. */
export async function recalled(core: Core, conversation: Conversation, target: string, personId: string): Promise<Change[]> {
  const key = messageKey(conversation.id, target)
  const message = await core.store.get('messages', key)
  if (!message || message.personId !== personId) return []
  const changes: Change[] = [['messages', key, { ...message, content: { kind: 'recalled' }, proof: undefined, token: undefined }]]
  if (message.content.kind === 'photo' || message.content.kind === 'voice') changes.push(['files', message.content.file.id, undefined])
  const newer = (await core.store.all('messages', `${conversation.id}/`)).some((other) => other.order > message.order)
  if (!newer) changes.push(['conversations', conversation.id, { ...conversation, preview: { mine: message.mine, kind: 'recalled', text: '' } }])
  return changes
}

function troubled(core: Core, conversation: Conversation, problem: unknown, self: Identity): Change[] {
  // A key that the directory does not have, or somebody who may not be here: the group is not followed there.
  const isUntrusted = problem instanceof Refused || (problem as Error).message.includes('credential')
  return noticed(core, { ...conversation, trouble: isUntrusted ? 'untrusted' : conversation.trouble }, { what: 'unreadable', personId: self.personId }, self.deviceId)
}
