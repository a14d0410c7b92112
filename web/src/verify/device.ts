/**
 * Checks what a cell says of somebody's device: that each entry of the log opens to this device and this key, and, where a receipt
 * is there, that the entry is in the log. Formats: docs/reference/ledger-formats.md.
 */
import { fromBase64, isEqual, toUtf8 } from './bytes.ts'
import { isOpening, parseCanonical, parsePerson } from './entry.ts'
import { checkReceipt } from './journal.ts'
import type { Verdict } from './verdict.ts'

export interface DeviceEntry {
  act: string
  n: number
  /** The entry, its nonce in base64, and what it commits to as text, as the directory has them. */
  leaf: string
  nonce: string
  opening: string
  index: number | null
  receipt: string | null
}

export interface DeviceSaid {
  id: string
  /** Base64. */
  signature_key: string
  revoked_at: string | null
  entries: DeviceEntry[]
}

export interface DeviceReport {
  verdict: Verdict
  /** `device.logged`, or why that cannot be said, or what is wrong. */
  code: string
}

/** RED where the cell is caught: what it shows is not what the log commits to. Never throws. */
export async function checkDevice(device: DeviceSaid, policy: string, now: number): Promise<DeviceReport> {
  const added = device.entries.find((entry) => entry.act === 'added')
  if (!added) return { verdict: 'RED', code: 'device.no-entry' }
  if (device.revoked_at === null && device.entries.some((entry) => entry.act === 'revoked')) return { verdict: 'RED', code: 'device.revoked' }
  let isOpen: DeviceReport = { verdict: 'GREEN', code: 'device.logged' }
  for (const entry of device.entries) {
    const leaf = leafOf(entry, device)
    if (!leaf) return { verdict: 'RED', code: 'device.opening' }
    if (entry.index === null || entry.receipt === null) {
      isOpen = { verdict: 'CANNOT TELL', code: 'device.waits' }
      continue
    }
    const { claims } = await checkReceipt({ policy, now, receipt: entry.receipt, entries: new Map([[entry.index, leaf]]) })
    const claim = claims.find((each) => each.claim === 'receipt') ?? claims[0]
    if (claim?.verdict === 'RED') return { verdict: 'RED', code: claim.code }
    if (claim?.verdict !== 'GREEN') isOpen = { verdict: 'CANNOT TELL', code: claim?.code ?? 'device.waits' }
  }
  return isOpen
}

/** The entry's bytes, if it commits to this device and key. */
function leafOf(entry: DeviceEntry, device: DeviceSaid): Uint8Array | null {
  try {
    const [leaf, opening] = [fromBase64(entry.leaf, 71), toUtf8(entry.opening)]
    const person = parsePerson(leaf)
    const said = parseCanonical(opening)
    const isAbout = person.kind === 'key' && said.purpose === `device-${entry.act}` && said.device === device.id
    const isKey = isEqual(fromBase64(said.key, 32), fromBase64(device.signature_key, 32))
    return isAbout && isKey && isOpening(person, entry.n, fromBase64(entry.nonce, 32), opening) ? leaf : null
  } catch {
    return null
  }
}
