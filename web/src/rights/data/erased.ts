/** Whether the log has the entry about an erasure, which the ticket's holder gets with its opening. */
import type { ErasureReport } from '../../app/api/shapes.ts'
import { fromBase64, toUtf8 } from '../../verify/bytes.ts'
import { isOpening, parseCanonical, parsePerson } from '../../verify/entry.ts'
import { checkReceipt, parseReceipt } from '../../verify/journal.ts'
import type { Claim } from '../../verify/verdict.ts'

/** The finding about the receipt; RED where the entry is not one about an erasure. */
export async function proofOf(entry: NonNullable<ErasureReport['entry']>, policy: string): Promise<Claim> {
  const wrong: Claim = { claim: 'receipt', code: 'receipt.format', verdict: 'RED', facts: [] }
  try {
    const [leaf, opening] = [fromBase64(entry.leaf), toUtf8(entry.opening)]
    const said = parseCanonical(opening)
    const isOpen = typeof said['n'] === 'number' && said['kind'] === 'erase' && isOpening(parsePerson(leaf), said['n'], fromBase64(entry.nonce), opening)
    if (!isOpen) return wrong
    const receipt = entry.proof ?? ''
    const { claims } = await checkReceipt({ policy, now: Math.floor(Date.now() / 1000), receipt, entries: new Map([[parseReceipt(receipt).index, leaf]]) })
    return claims.find((claim) => claim.claim === 'receipt') ?? wrong
  } catch {
    return wrong
  }
}
