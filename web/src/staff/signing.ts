/** Signing a text with a passkey: its SHA-256 is computed here, so that nobody can have another text signed than the one that is shown. */
import { startAuthentication, WebAuthnError } from '@simplewebauthn/browser'
import { ApiError } from '../app/api/client.ts'

/** SHA-256 of a text in base64url, as a passkey's challenge. */
export async function digest(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** The credential that signs exactly this text; throws ApiError where the device or the person declines. */
export async function signed(text: string): Promise<unknown> {
  const options = { challenge: await digest(text), rpId: location.hostname, userVerification: 'required' as const, timeout: 120_000 }
  try {
    return await startAuthentication({ optionsJSON: options })
  } catch (problem) {
    const name = problem instanceof Error ? problem.name : ''
    const cancelled = name === 'NotAllowedError' || name === 'AbortError' || (problem instanceof WebAuthnError && problem.code === 'ERROR_CEREMONY_ABORTED')
    throw new ApiError(0, cancelled ? 'passkey-cancelled' : 'passkey-failed', '', '')
  }
}

/** The text in parts; null where it is no text that we know how to show. */
export function parts<T>(asked: string, kind: string): T | null {
  try {
    const said = JSON.parse(asked) as T & { kind: string; v: number }
    return said.kind === kind && said.v === 1 ? said : null
  } catch {
    return null
  }
}
