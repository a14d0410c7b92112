/** What two people compare, and what a report discloses. */
import { toBase64 } from '../../verify/bytes.ts'
import { checkDevice, type DeviceReport } from '../../verify/device.ts'
import { membersOf } from '../mls/group.ts'
import { safetyNumber } from '../mls/safety.ts'
import type { Listed, Reason } from './cell.ts'
import type { Core } from './core.ts'
import { messageKey } from './store.ts'

export interface Safety {
  number: string
  devices: { personId: string; id: string; key: string; listed: Listed | null; report: DeviceReport | null }[]
}

/** The safety number with somebody: of all keys that are in the conversation, not of those that the cell names. */
export async function safetyWith(core: Core, conversationId: string, personId: string, policy: string | null): Promise<Safety | null> {
  const found = await core.group(conversationId)
  if (!found) return null
  const self = await core.self()
  const both = membersOf(found.group).filter((member) => member.personId === personId || member.personId === self.personId)
  const keys = (id: string) => both.filter((member) => member.personId === id).map((member) => member.key)
  const devices = await Promise.all(
    both.map(async (member) => {
      const listed = (await core.directory(member.personId)).find((device) => device.id === member.deviceId) ?? null
      const report = listed && policy !== null ? await checkDevice(listed, policy, Math.floor(core.time / 1000)) : null
      return { personId: member.personId, id: member.deviceId, key: toBase64(member.key), listed, report }
    }),
  )
  return { number: safetyNumber({ personId, keys: keys(personId) }, { personId: self.personId, keys: keys(self.personId) }), devices }
}

/** Remembers that the numbers were compared and are the same; null forgets it. */
export async function setCompared(core: Core, conversationId: string, number: string | null): Promise<void> {
  await core.lock(async () => {
    const conversation = await core.conversation(conversationId)
    if (conversation) await core.store.write([['conversations', conversationId, { ...conversation, compared: number }]])
  })
  core.changed(conversationId)
}

/** Discloses the chosen messages, as their sender signed them, and nothing else. */
export async function report(core: Core, conversationId: string, reason: Reason, ids: string[]): Promise<void> {
  const items = []
  for (const id of ids) {
    const message = await core.store.get('messages', messageKey(conversationId, id))
    if (message?.proof) items.push({ device_id: message.deviceId, content: toBase64(message.proof.content), signature: toBase64(message.proof.signature) })
  }
  await core.cell.report({ conversation_id: conversationId, reason, items })
}
