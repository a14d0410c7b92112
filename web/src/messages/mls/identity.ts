/** Who holds a leaf of the tree: a basic credential of 32 bytes, the person's id and the device's. */
import type { Credential } from 'ts-mls'
import { concat, demand, fromHex, toHex } from '../../verify/bytes.ts'

export interface Identity {
  personId: string
  deviceId: string
}

/** A device in a group. */
export interface Member extends Identity {
  leaf: number
  key: Uint8Array
}

export function credentialOf({ personId, deviceId }: Identity): Credential {
  return { credentialType: 'basic', identity: concat(uuidBytes(personId), uuidBytes(deviceId)) }
}

/** Throws Malformed where it is not one of ours. */
export function identityOf(credential: Credential): Identity {
  demand(credential.credentialType === 'basic' && credential.identity.length === 32)
  return { personId: uuidText(credential.identity.slice(0, 16)), deviceId: uuidText(credential.identity.slice(16)) }
}

export function uuidBytes(uuid: string): Uint8Array<ArrayBuffer> {
  const bytes = fromHex(uuid.replaceAll('-', ''))
  demand(bytes.length === 16)
  return bytes
}

export function uuidText(bytes: Uint8Array): string {
  return toHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
