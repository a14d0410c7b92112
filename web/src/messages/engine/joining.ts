/** Getting into groups: by a welcome, or by oneself where the person is a member already. */
import { ApiError } from '../../app/api/client.ts'
import { epochOf, type Group, groupIdOf, join, joinAgain, keep, welcomed } from '../mls/group.ts'
import { newPackage } from '../mls/packages.ts'
import { base64 } from './cell.ts'
import type { Core } from './core.ts'
import { noticed } from './notices.ts'
import type { Change, Conversation, KeptGroup } from './store.ts'

const TRIES = 5

export function fresh(group: Group, now: number): KeptGroup {
  return { groupId: groupIdOf(group), state: keep(group), pending: null, renewedAt: now }
}

/** The changes that a welcome brings; null where it is for no package that we have. */
export async function byWelcome(core: Core, conversation: Conversation, welcome: Uint8Array): Promise<Change[] | null> {
  const packages = new Map((await core.store.all('packages')).map((each) => [each.ref, each]))
  const own = packages.get(welcomed(welcome, (ref) => packages.has(ref)) ?? '')
  if (!own) return null
  const group = await join(welcome, own, await core.device(), core.vouch)
  const here = await core.group(conversation.id)
  // We came in by ourselves meanwhile, and are further.
  const isLate = here !== null && here.kept.groupId === groupIdOf(group) && epochOf(here.group) >= epochOf(group)
  const changes: Change[] = isLate ? [] : [['groups', conversation.id, fresh(group, core.time)]]
  // Used once: its key goes, and with it the way back to this welcome.
  if (!own.isLast) changes.push(['packages', own.ref, undefined])
  return changes
}

/**
 * Joins a conversation by an external commit: this device is new, or has lost its state. Messages from before cannot be opened.
 * The caller holds the lock. False where the cell has no description of the group, or no longer counts the person in.
 */
export async function rejoin(core: Core, conversationId: string): Promise<boolean> {
  const device = await core.device()
  for (let attempt = 0; attempt < TRIES; attempt++) {
    try {
      const info = await core.cell.groupInfo(conversationId)
      const joined = await joinAgain(info, await newPackage(device, core.time), device, core.vouch)
      await core.cell.commit(conversationId, {
        device_id: device.deviceId, epoch: epochOf(joined.group) - 1, commit: base64(joined.commit), welcomes: [], group_info: base64(joined.groupInfo), adds: [], removes: [],
      })
      const conversation = await core.conversation(conversationId)
      const changes: Change[] = [['groups', conversationId, fresh(joined.group, core.time)]]
      if (conversation) changes.push(...noticed(core, { ...conversation, trouble: null }, { what: 'rejoined', personId: device.personId }, device.deviceId))
      await core.store.write(changes)
      core.changed(conversationId)
      return true
    } catch (problem) {
      if (!(problem instanceof ApiError)) return lost(core, conversationId)
      if (problem.code === 'epoch-passed') continue
      if (problem.status === 404 || problem.status === 403 || problem.status === 409) return lost(core, conversationId)
      throw problem
    }
  }
  return lost(core, conversationId)
}

async function lost(core: Core, conversationId: string): Promise<false> {
  const conversation = await core.conversation(conversationId)
  if (conversation) await core.store.write([['conversations', conversationId, { ...conversation, trouble: 'lost' }]])
  core.changed(conversationId)
  return false
}
