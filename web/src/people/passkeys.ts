/** Passkeys: the cell's challenge, the device's answer. */
import {
  browserSupportsWebAuthn,
  browserSupportsWebAuthnAutofill,
  startAuthentication,
  startRegistration,
  WebAuthnError,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/browser'
import { api, ApiError } from '../app/api/client.ts'
import type { Me } from '../app/api/shapes.ts'

interface Creation {
  challenge_id: string
  options: PublicKeyCredentialCreationOptionsJSON
}
interface Request {
  challenge_id: string
  options: PublicKeyCredentialRequestOptionsJSON
}

export function passkeysWork(): boolean {
  return browserSupportsWebAuthn() && isSecureContext
}

/** A new passkey for a new account. */
export async function newAccountPasskey(handle: string, displayName: string): Promise<{ challenge_id: string; credential: unknown; name: string }> {
  const { challenge_id, options } = await api.post<Creation>('/api/sign-up/passkey-options', { handle, display_name: displayName })
  return { challenge_id, credential: await asked(startRegistration({ optionsJSON: options })), name: deviceName() }
}

export async function addPasskey(): Promise<void> {
  const { challenge_id, options } = await api.post<Creation>('/api/me/passkeys/options')
  const credential = await asked(startRegistration({ optionsJSON: options }))
  await api.post('/api/me/passkeys', { challenge_id, credential, name: deviceName() })
}

/** Signs in with a passkey; with `autofill`, waits silently for one picked in the handle field. */
export async function passkeySignIn(autofill = false): Promise<Me | null> {
  if (autofill && !(await browserSupportsWebAuthnAutofill())) return null
  const { challenge_id, options } = await api.post<Request>('/api/sessions/passkey-options')
  const credential = await asked(startAuthentication({ optionsJSON: options, useBrowserAutofill: autofill }))
  return (await api.post<{ me: Me }>('/api/sessions/passkey', { challenge_id, credential })).me
}

/** Proves once more who is signed in; whose passkey it is, the cell sees. */
export async function passkeyProof(): Promise<void> {
  const { challenge_id, options } = await api.post<Request>('/api/sessions/passkey-options')
  const credential = await asked(startAuthentication({ optionsJSON: options }))
  await api.post('/api/sessions/current/proof', { passkey: { challenge_id, credential } })
}

/** Signs a challenge of the cell with a passkey that may be any of this person's: for staff, who sign what they do. */
export async function passkeySignature(challenge: string): Promise<unknown> {
  return asked(startAuthentication({ optionsJSON: { challenge, userVerification: 'required' } }))
}

/** The device's refusals become errors with a code that we have words for. */
async function asked<T>(ceremony: Promise<T>): Promise<T> {
  try {
    return await ceremony
  } catch (problem) {
    const name = problem instanceof Error ? problem.name : ''
    if (problem instanceof WebAuthnError && problem.code === 'ERROR_CEREMONY_ABORTED') throw new ApiError(0, 'passkey-cancelled', '', '')
    if (name === 'InvalidStateError') throw new ApiError(0, 'passkey-known', '', '')
    if (name === 'NotAllowedError' || name === 'AbortError') throw new ApiError(0, 'passkey-cancelled', '', '')
    throw new ApiError(0, 'passkey-failed', '', '')
  }
}

/** A name that tells one device from another, and no more. */
export function deviceName(agent = navigator.userAgent): string {
  const system = ['iPhone', 'iPad', 'Android', 'Windows', 'Mac', 'Linux'].find((word) => agent.includes(word)) ?? 'Device'
  const browser = [['Firefox/', 'Firefox'], ['Edg/', 'Edge'], ['Chrome/', 'Chrome'], ['Safari/', 'Safari']].find(([mark]) => agent.includes(mark!))?.[1]
  return browser ? `${browser} · ${system}` : system
}
