/** A device begins, is kept reachable, and ends. */
import { ApiError } from '../../app/api/client.ts'
import { newPackage } from '../mls/packages.ts'
import { newSigningKey } from '../mls/suite.ts'
import type { Core } from './core.ts'
import { rejoin } from './joining.ts'
import { refresh } from './list.ts'
import { type Change, ONLY } from './store.ts'

const PACKAGES = 40
const FEW = 15
const RENEW_DAYS = 60
const DAY_MS = 86_400_000

/** Makes this browser a device of the person, and joins it to the conversations that they have. */
export async function begin(core: Core, person: { id: string; handle: string; display_name: string; avatar_url: string | null }, name: string): Promise<void> {
  await core.lock(async () => {
    if (await core.store.get('self', ONLY)) return
    const signing = await newSigningKey()
    const { id } = await core.cell.addDevice(signing.publicKey, name)
    await core.store.write([
      ['self', ONLY, { deviceId: id, personId: person.id, handle: person.handle, signing, cursor: 0 }],
      ['people', person.id, { person_id: person.id, handle: person.handle, display_name: person.display_name, avatar_url: person.avatar_url }],
    ])
  })
  await stock(core)
  await core.lock(async () => {
    for (const conversation of await refresh(core)) await rejoin(core, conversation.id)
  })
}

/** Sends key packages where few are left, so that others can add this device while it is away. */
export async function stock(core: Core): Promise<void> {
  await core.lock(async () => {
    const { deviceId } = await core.self()
    const kept = await core.store.all('packages')
    const last = kept.find((each) => each.isLast && core.time - each.madeAt < RENEW_DAYS * DAY_MS)
    const left = await core.cell.packagesLeft(deviceId)
    if (left >= FEW && last) return
    const device = await core.device()
    const made = await Promise.all(Array.from({ length: left < FEW ? PACKAGES - left : 0 }, () => newPackage(device, core.time)))
    const resort = last ? null : await newPackage(device, core.time)
    // Kept before they are sent: a welcome must never find us without the key.
    const changes: Change[] = made.map((own) => ['packages', own.ref, { ...own, isLast: false, madeAt: core.time }])
    if (resort) changes.push(['packages', resort.ref, { ...resort, isLast: true, madeAt: core.time }])
    // What has run out can be in no welcome any more.
    for (const old of kept) if (core.time - old.madeAt > 120 * DAY_MS) changes.push(['packages', old.ref, undefined])
    await core.store.write(changes)
    await core.cell.addPackages(deviceId, made.map((own) => own.bytes), resort?.bytes)
  })
}

/** Whether this device is still one of the person's. Where it was removed elsewhere, what it kept goes. */
export async function isStillOurs(core: Core): Promise<boolean> {
  const { deviceId } = await core.self()
  const own = (await core.cell.devices()).find((device) => device.id === deviceId)
  if (own && own.revoked_at === null) return true
  await core.store.wipe()
  core.changed(null)
  return false
}

/** Ends this device: it is removed from the directory, and everything that it kept is deleted. */
export async function end(core: Core): Promise<void> {
  await core.lock(async () => {
    const { deviceId } = await core.self()
    await core.cell.removeDevice(deviceId).catch((problem: unknown) => {
      if (!(problem instanceof ApiError && problem.status === 404)) throw problem
    })
    await core.store.wipe()
  })
  core.changed(null)
}
