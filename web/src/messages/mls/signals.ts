/**
 * Typing and read marks: sealed with a key of the epoch (MLS exporter, RFC 9420, section 8.5) and signed by the device, outside the
 * ratchet, so that what is lost on the way costs nothing.
 */
import { mlsExporter } from 'ts-mls'
import { signWithLabel, verifyWithLabel } from 'ts-mls/crypto/signature.js'
import { concat, demand, fromUtf8, readU64, toUtf8, u64 } from '../../verify/bytes.ts'
import { epochOf, type Group, membersOf, ownLeaf } from './group.ts'
import type { Member } from './identity.ts'
import type { Device } from './packages.ts'
import { importKey, openBytes, sealBytes } from './sealed.ts'
import { suite } from './suite.ts'

const LABEL = 'luciole signal v1'
const SIGNATURE_BYTES = 64

export type Signal =
  | { kind: 'typing'; isOn: boolean }
  /** Everything up to this message was read. */
  | { kind: 'read'; id: string }

export async function sealSignal(group: Group, device: Device, signal: Signal): Promise<Uint8Array> {
  const leaf = ownLeaf(group)
  const said = concat(u64(leaf), toUtf8(JSON.stringify(signal)))
  const signature = await signWithLabel(device.publicKey, LABEL, concat(about(group), said), device.suite.signature)
  return concat(u64(epochOf(group)), await sealBytes(await keyOf(group), concat(signature, said), about(group)))
}

/** Null where it is of another epoch: too late to matter. */
export async function openSignal(group: Group, body: Uint8Array): Promise<{ from: Member; signal: Signal } | null> {
  if (readU64(body, 0) !== epochOf(group)) return null
  const opened = await openBytes(await keyOf(group), body.slice(8), about(group))
  const [signature, said] = [opened.slice(0, SIGNATURE_BYTES), opened.slice(SIGNATURE_BYTES)]
  const from = membersOf(group).find((member) => member.leaf === readU64(said, 0))
  demand(from !== undefined)
  demand(await verifyWithLabel(from.key, LABEL, concat(about(group), said), signature, (await suite()).signature))
  return { from, signal: signalOf(JSON.parse(fromUtf8(said.slice(8)))) }
}

function signalOf(told: Record<string, unknown>): Signal {
  if (told.kind === 'typing' && typeof told.isOn === 'boolean') return { kind: 'typing', isOn: told.isOn }
  demand(told.kind === 'read' && typeof told.id === 'string' && told.id.length === 36)
  return { kind: 'read', id: told.id }
}

function about(group: Group): Uint8Array<ArrayBuffer> {
  return concat(group.groupContext.groupId, u64(epochOf(group)))
}

async function keyOf(group: Group): Promise<CryptoKey> {
  return importKey(await mlsExporter(group.keySchedule.exporterSecret, LABEL, about(group), 32, await suite()))
}
