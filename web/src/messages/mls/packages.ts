/** Key packages (RFC 9420, section 10): what others need to add this device to a group while it is away. */
import { type CiphersuiteImpl, defaultCapabilities, generateKeyPackageWithKey, type KeyPackage, type PrivateKeyPackage } from 'ts-mls'
import { makeKeyPackageRef } from 'ts-mls/keyPackage.js'
import { toHex } from '../../verify/bytes.ts'
import { credentialOf, type Identity } from './identity.ts'
import { type SigningKey, suiteOf } from './suite.ts'
import { readKeyPackage, writeKeyPackage } from './wire.ts'

/** A key package with what only this device knows of it. Plain bytes: it can be stored as it is. */
export interface OwnPackage {
  /** Its reference, in hexadecimal: a welcome names it so. */
  ref: string
  bytes: Uint8Array
  initPrivateKey: Uint8Array
  hpkePrivateKey: Uint8Array
}

export const LIFETIME_DAYS = 90
const DAY_S = 86_400n

/** The device as MLS needs it: who, and a suite that signs for it. */
export interface Device extends Identity {
  suite: CiphersuiteImpl
  publicKey: Uint8Array
}

export async function deviceOf(identity: Identity, key: SigningKey): Promise<Device> {
  return { ...identity, suite: await suiteOf(key), publicKey: key.publicKey }
}

export async function newPackage(device: Device, nowMs: number): Promise<OwnPackage> {
  const now = BigInt(Math.floor(nowMs / 1000))
  const made = await generateKeyPackageWithKey(
    credentialOf(device),
    capabilities(),
    // A day back, for devices whose clock is behind ours.
    { notBefore: now - DAY_S, notAfter: now + DAY_S * BigInt(LIFETIME_DAYS) },
    [],
    { signKey: device.publicKey, publicKey: device.publicKey },
    device.suite,
  )
  return {
    ref: toHex(await makeKeyPackageRef(made.publicPackage, device.suite.hash)),
    bytes: writeKeyPackage(made.publicPackage),
    initPrivateKey: made.privatePackage.initPrivateKey,
    hpkePrivateKey: made.privatePackage.hpkePrivateKey,
  }
}

/** What we can do, and no more: one suite, one kind of credential. */
function capabilities() {
  return { ...defaultCapabilities(), ciphersuites: ['MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519' as const], credentials: ['basic' as const], extensions: [], proposals: [] }
}

/** An own package as the library takes it. */
export function opened(own: OwnPackage, device: Device): [KeyPackage, PrivateKeyPackage] {
  return [
    readKeyPackage(own.bytes),
    { initPrivateKey: own.initPrivateKey, hpkePrivateKey: own.hpkePrivateKey, signaturePrivateKey: device.publicKey },
  ]
}
