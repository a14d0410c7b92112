/** Lines in a thread that nobody wrote: who came, who went, what could not be opened. */
import type { Core } from './core.ts'
import { withMessage } from './list.ts'
import { type Change, type Conversation, type Message, messageKey, type Notice } from './store.ts'

type What = Omit<Extract<Notice, { kind: 'notice' }>, 'kind'>

export function notice(core: Core, conversationId: string, what: What, deviceId: string): Message {
  return {
    id: crypto.randomUUID(), conversationId, order: core.nextOrder(), at: core.time, personId: what.personId, deviceId, mine: false,
    state: 'received', content: { kind: 'notice', ...what },
  }
}

/** A notice, and the conversation as it is with it. */
export function noticed(core: Core, conversation: Conversation, what: What, deviceId: string): Change[] {
  const line = notice(core, conversation.id, what, deviceId)
  return [
    ['messages', messageKey(conversation.id, line.id), line],
    ['conversations', conversation.id, withMessage(conversation, line, false)],
  ]
}
