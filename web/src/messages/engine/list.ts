/** The list of conversations: what the cell tells, and what only this device knows. */
import type { Core } from './core.ts'
import type { Change, Conversation, Message } from './store.ts'
import type { ConversationTold } from './cell.ts'
import { messageKey } from './store.ts'

/** Asks the cell which conversations there are. Returns all of them. */
export async function refresh(core: Core): Promise<Conversation[]> {
  const told = await core.cell.conversations()
  await core.learn(told.flatMap((each) => each.members))
  const known = new Map((await core.store.all('conversations')).map((each) => [each.id, each]))
  const changes: Change[] = told.map((each) => ['conversations', each.id, { ...(known.get(each.id) ?? blank(each)), told: each, isOver: each.is_over }])
  // Left on another device, or the others are gone: nothing more can come, and what was said stays until the person deletes it.
  for (const [id, gone] of known) if (!told.some((each) => each.id === id)) changes.push(['conversations', id, { ...gone, isOver: true }])
  await core.store.write(changes)
  core.changed(null)
  return core.store.all('conversations')
}

export function blank(told: ConversationTold): Conversation {
  return { id: told.id, told, name: '', unread: 0, lastAt: 0, preview: null, readBy: {}, trouble: null, compared: null, isOver: told.is_over }
}

/** Everything that this device has of a conversation, removed. */
export async function forgotten(core: Core, id: string): Promise<Change[]> {
  const messages = await core.store.all('messages', `${id}/`)
  const files = messages.flatMap(({ content }) => (content.kind === 'photo' || content.kind === 'voice' ? [content.file.id] : []))
  return [
    ['conversations', id, undefined],
    ['groups', id, undefined],
    ...messages.map((message): Change => ['messages', messageKey(id, message.id), undefined]),
    ...files.map((file): Change => ['files', file, undefined]),
  ]
}

/** The conversation with a message added to it, as it looks in the list. */
export function withMessage(conversation: Conversation, message: Message, counts: boolean): Conversation {
  const { content } = message
  const text = content.kind === 'text' ? content.text.slice(0, 120) : content.kind === 'notice' ? content.what : ''
  return {
    ...conversation,
    lastAt: Math.max(conversation.lastAt, message.at),
    preview: { mine: message.mine, kind: content.kind, text },
    unread: counts ? conversation.unread + 1 : conversation.unread,
  }
}

export async function thread(core: Core, conversationId: string): Promise<Message[]> {
  return (await core.store.all('messages', `${conversationId}/`)).sort((one, other) => one.order - other.order)
}

/** Nothing is unread any more. */
export async function markRead(core: Core, conversationId: string): Promise<void> {
  await core.lock(async () => {
    const conversation = await core.conversation(conversationId)
    if (!conversation || conversation.unread === 0) return
    await core.store.write([['conversations', conversationId, { ...conversation, unread: 0 }]])
  })
  core.changed(conversationId)
}

/** Deletes a conversation that is over, from this device: nobody else has to be told. */
export async function forget(core: Core, conversationId: string): Promise<void> {
  await core.lock(async () => core.store.write(await forgotten(core, conversationId)))
  core.changed(null)
}
