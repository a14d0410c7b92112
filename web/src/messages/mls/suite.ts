/**
 * The one cipher suite of our messages, MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519 (RFC 9420, section 17.1), made of the
 * browser's own cryptography.
 */
import { type CiphersuiteImpl, getCiphersuiteFromName, getCiphersuiteImpl, type Signature } from 'ts-mls'
import { isEqual } from '../../verify/bytes.ts'

export const SUITE = 'MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519'

/** A device's signing key. The private half cannot be read, not even by this page: it can only be asked to sign. */
export interface SigningKey {
  publicKey: Uint8Array
  privateKey: CryptoKey
}

let made: Promise<CiphersuiteImpl> | undefined

/** The suite without anybody's key: it checks, and signs for nobody. */
export function suite(): Promise<CiphersuiteImpl> {
  made ??= getCiphersuiteImpl(getCiphersuiteFromName(SUITE)).then((plain) => ({
    ...plain,
    hpke: { ...plain.hpke, generateKeyPair: () => another(() => plain.hpke.generateKeyPair()) },
  }))
  return made
}

const MOST_TRIES = 5

/** WebKit on Linux makes no key in one of two hundred times (tried with 2.50); the next one is as good. */
async function another<T>(make: () => Promise<T>): Promise<T> {
  for (let left = MOST_TRIES - 1; left > 0; left -= 1) {
    try {
      return await make()
    } catch {
      // Once more.
    }
  }
  return make()
}

export async function newSigningKey(): Promise<SigningKey> {
  const pair = (await another(() => crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']))) as CryptoKeyPair
  return { publicKey: new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)), privateKey: pair.privateKey }
}

/**
 * The suite of a device. Where MLS keeps a private signing key we keep the public one, as its name: signing goes to the key
 * that the browser holds.
 */
export async function suiteOf(key: SigningKey): Promise<CiphersuiteImpl> {
  const plain = await suite()
  const signature: Signature = {
    ...plain.signature,
    sign: async (name, message) => {
      if (!isEqual(name, key.publicKey)) throw new Error('Not the signing key of this device')
      return new Uint8Array(await crypto.subtle.sign('Ed25519', key.privateKey, Uint8Array.from(message)))
    },
  }
  return { ...plain, signature }
}

export interface Seen {
  publicKey: Uint8Array
  /** What was signed, as SignContent of RFC 9420, section 5.1.2. */
  signed: Uint8Array
  signature: Uint8Array
}

/** The same suite, which also notes each signature that it found to be good. */
export function noting(plain: CiphersuiteImpl, seen: Seen[]): CiphersuiteImpl {
  const verify: Signature['verify'] = async (publicKey, signed, signature) => {
    const isGood = await plain.signature.verify(publicKey, signed, signature)
    if (isGood) seen.push({ publicKey, signed, signature })
    return isGood
  }
  return { ...plain, signature: { ...plain.signature, verify } }
}
