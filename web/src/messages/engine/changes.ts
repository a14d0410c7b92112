/** Changes of who is in a group: begin one, add, remove, leave. A race for the next epoch is lost and run again. */
import { ApiError } from '../../app/api/client.ts'
import { change, type Changed, epochOf, type Group, keep, membersOf, newGroup } from '../mls/group.ts'
import { newPackage } from '../mls/packages.ts'
import { base64, bytesOf, type Claimed, type ConversationTold, type Welcoming } from './cell.ts'
import { type Core, isPassing } from './core.ts'
import { take } from './inbox.ts'
import { fresh, rejoin } from './joining.ts'
import { blank, forgotten, refresh } from './list.ts'
import type { Change, KeptGroup } from './store.ts'

const TRIES = 6
const RENEW_MS = 7 * 86_400_000

/** A group could not be changed: others were faster, again and again. */
export class Busy extends Error {}

/** Begins a conversation with the people named, or finds the one that there is with the only one of them. */
export async function open(core: Core, kind: 'pair' | 'group', handles: string[]): Promise<string> {
  return core.lock(async () => {
    const self = await core.self()
    const found = kind === 'pair' ? await pairWith(core, handles[0]!) : null
    if (found) return found
    const claimed = await core.cell.claim([...handles, self.handle], self.deviceId)
    const missing = handles.find((handle) => !claimed.some((each) => each.handle === handle))
    if (missing) throw new ApiError(409, 'no-devices', '', '')
    // So that each key that comes with them can be looked up.
    await core.learn(await unknown(core, claimed))
    const device = await core.device()
    const alone = await newGroup(device, await newPackage(device, core.time), core.vouch)
    const made = await change(alone, device, claimed.map((each) => bytesOf(each.package)), [])
    let told: ConversationTold
    try {
      told = await core.cell.create({ device_id: device.deviceId, kind, members: handles, welcomes: welcoming(made, claimed), group_info: base64(made.groupInfo) })
    } catch (problem) {
      if (!(problem instanceof ApiError && problem.code === 'pair-exists')) throw problem
      // The other was faster, or our answer was lost: go into what there is.
      await refresh(core)
      const id = await pairWith(core, handles[0]!)
      if (!id) throw problem
      await take(core)
      if (!(await core.store.get('groups', id))) await rejoin(core, id)
      return id
    }
    await core.learn(told.members)
    await core.store.write([['groups', told.id, fresh(made.group, core.time)], ['conversations', told.id, blank(told)]])
    made.forget()
    core.changed(null)
    return told.id
  })
}

async function pairWith(core: Core, handle: string): Promise<string | null> {
  const all = await core.store.all('conversations')
  // One that is over, or that a restored cell does not know any more, takes nothing.
  const found = all.find(({ told, isOver }) => !isOver && told.kind === 'pair' && told.members.some((member) => member.handle === handle))
  return found?.id ?? null
}

async function unknown(core: Core, claimed: Claimed[]) {
  const people = new Map(claimed.map((each) => [each.person_id, each.handle]))
  const known = await Promise.all([...people.keys()].map((id) => core.store.get('people', id)))
  const names = new Set(known.map((person) => person?.person_id))
  return [...people].filter(([id]) => !names.has(id)).map(([person_id, handle]) => ({ person_id, handle, display_name: handle, avatar_url: null }))
}

function welcoming({ welcome }: Changed, claimed: Claimed[]): Welcoming[] {
  return welcome ? [{ device_ids: claimed.map((each) => each.device_id), body: base64(welcome) }] : []
}

/** Adds people, all their devices. */
export async function add(core: Core, conversationId: string, handles: string[]): Promise<void> {
  await core.lock(() => commit(core, conversationId, { adds: handles, removes: [] }))
  await core.lock(() => refresh(core))
}

/** Takes somebody out of a group. */
export async function remove(core: Core, conversationId: string, handle: string): Promise<void> {
  await core.lock(() => commit(core, conversationId, { adds: [], removes: [handle] }))
  await core.lock(() => refresh(core))
}

/** Whose leaves must go: of devices that were removed, and of people who are no members any more. */
async function stale(core: Core, conversationId: string, group: Group, removes: string[]): Promise<number[]> {
  let conversation = await core.conversation(conversationId)
  const isMember = (id: string) => conversation?.told.members.some((member) => member.person_id === id)
  // Nobody is taken out on what we knew yesterday.
  if (membersOf(group).some((member) => !isMember(member.personId))) {
    conversation = (await refresh(core)).find((each) => each.id === conversationId)
    if (!conversation || conversation.isOver) return []
  }
  const self = await core.self()
  const people = new Map(conversation?.told.members.map((member) => [member.person_id, member.handle]))
  const leaves: number[] = []
  for (const member of membersOf(group)) {
    if (member.deviceId === self.deviceId) continue
    const handle = people.get(member.personId) ?? (member.personId === self.personId ? self.handle : undefined)
    const isGone = handle === undefined || removes.includes(handle)
    const listed = isGone ? undefined : (await core.directory(member.personId)).find((device) => device.id === member.deviceId)
    if (isGone || listed?.revoked_at) leaves.push(member.leaf)
  }
  return leaves
}

/**
 * Before something is said: those who may no longer read are taken out, and once a week the keys are renewed. The caller holds
 * the lock.
 */
export async function tidy(core: Core, conversationId: string): Promise<void> {
  const found = await core.group(conversationId)
  if (!found) return
  const isOld = core.time - found.kept.renewedAt > RENEW_MS
  if (!isOld && (await stale(core, conversationId, found.group, [])).length === 0) return
  await commit(core, conversationId, { adds: [], removes: [] })
}

/** One commit, made again for as long as others are faster. The caller holds the lock. */
async function commit(core: Core, conversationId: string, { adds, removes }: { adds: string[]; removes: string[] }): Promise<void> {
  const device = await core.device()
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const found = await core.group(conversationId)
    if (!found) {
      if (await rejoin(core, conversationId)) continue
      throw new Busy()
    }
    const claimed = adds.length > 0 ? await core.cell.claim(adds, device.deviceId) : []
    await core.learn(await unknown(core, claimed))
    if (adds.some((handle) => !claimed.some((each) => each.handle === handle))) throw new ApiError(409, 'no-devices', '', '')
    const made = await change(found.group, device, claimed.map((each) => bytesOf(each.package)), await stale(core, conversationId, found.group, removes))
    const epoch = epochOf(found.group)
    const pending: KeptGroup = { ...found.kept, pending: { state: keep(made.group), commit: made.commit, epoch } }
    // If we stop after this, `settle` finds out whether the cell took it.
    await core.store.write([['groups', conversationId, pending]])
    try {
      await core.cell.commit(conversationId, {
        device_id: device.deviceId, epoch, commit: base64(made.commit), welcomes: welcoming(made, claimed), group_info: base64(made.groupInfo), adds, removes,
      })
    } catch (problem) {
      if (isPassing(problem)) throw problem
      await core.store.write([['groups', conversationId, { ...found.kept, pending: null }]])
      if (!(problem instanceof ApiError && problem.code === 'epoch-passed')) throw problem
      // Take in what the faster one did, then try again.
      await take(core)
      await pause(attempt)
      continue
    }
    await core.store.write([['groups', conversationId, fresh(made.group, core.time)]])
    made.forget()
    core.changed(conversationId)
    return
  }
  throw new Busy()
}

/** Two who lost the same race do not meet again at once. */
function pause(attempt: number): Promise<void> {
  return new Promise((done) => setTimeout(done, Math.random() * 50 * 2 ** attempt))
}

/**
 * A commit whose answer never came: the cell's epoch says whether it was taken. The caller holds the lock, and has taken in
 * what waited: a commit of somebody else for the same epoch has then replaced ours.
 */
export async function settle(core: Core): Promise<void> {
  for (const { id, told } of await core.store.all('conversations')) {
    const kept = await core.store.get('groups', id)
    if (!kept?.pending) continue
    const isTaken = told.epoch > kept.pending.epoch
    await core.store.write([['groups', id, { ...kept, state: isTaken ? kept.pending.state : kept.state, pending: null, renewedAt: core.time }]])
    core.changed(id)
  }
}

/** Leaves: from now on nothing comes, and what this device has of it goes. */
export async function leave(core: Core, conversationId: string, tell: () => Promise<void>): Promise<void> {
  await core.lock(async () => {
    await tell()
    const changes: Change[] = await forgotten(core, conversationId)
    await core.store.write(changes)
  })
  core.changed(null)
}

