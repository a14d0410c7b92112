/** Typing and read marks: told only by whoever has turned them on, and only while pages are open. */
import { type Group, restore } from '../mls/group.ts'
import { openSignal, sealSignal, type Signal } from '../mls/signals.ts'
import { bytesOf } from './cell.ts'
import type { Core } from './core.ts'

export async function sendSignal(core: Core, conversationId: string, signal: Signal): Promise<void> {
  const found = await core.group(conversationId)
  if (!found) return
  const device = await core.device()
  await core.cell.signal(conversationId, device.deviceId, await sealSignal(found.group, device, signal))
}

/** Who is typing; a read mark is kept. Null for what is none of the two, or of our own. */
export async function hearSignal(core: Core, conversationId: string, body: string): Promise<{ personId: string; isTyping: boolean } | null> {
  const kept = await core.store.get('groups', conversationId)
  if (!kept) return null
  const group: Group = restore(kept.state, core.vouch)
  const opened = await openSignal(group, bytesOf(body)).catch(() => null)
  const { personId } = await core.self()
  if (!opened || opened.from.personId === personId) return null
  const { from, signal } = opened
  if (signal.kind === 'typing') return { personId: from.personId, isTyping: signal.isOn }
  await core.lock(async () => {
    const conversation = await core.conversation(conversationId)
    if (!conversation) return
    await core.store.write([['conversations', conversationId, { ...conversation, readBy: { ...conversation.readBy, [from.personId]: signal.id } }]])
  })
  core.changed(conversationId)
  return null
}
