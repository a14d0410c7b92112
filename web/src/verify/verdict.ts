/**
 * What a check ends with. Codes are those of the auditor's own verifier (verifier/luciole_verify.py);
 * the words belong to whoever shows them.
 */
export type Verdict = 'GREEN' | 'RED' | 'CANNOT TELL'
export type Fact = string | number

/** One thing that was looked at: its code, and what fills the blanks of its sentence. */
export interface Claim {
  claim: 'policy' | 'label key' | 'journal' | 'receipt'
  code: string
  verdict: Verdict
  facts: Fact[]
}

export interface Report {
  verdict: Verdict
  claims: Claim[]
  /** Sentences to print beside every verdict. */
  assumed: string[]
  notProved: string[]
}

export const ASSUMED = ['assumed.keys', 'assumed.witnesses', 'assumed.mathematics', 'assumed.page']
export const NOT_PROVED = ['not-proved.memory', 'not-proved.every-access', 'not-proved.copies', 'not-proved.border']

// What leaves the question open; all other findings are RED.
const OPEN = new Set([
  'policy.format', 'policy.from-cell', 'witness.none', 'witness.stale', 'receipt.no-entry', 'journal.no-key',
  'journal.unsealed', 'journal.no-opening', 'journal.lost', 'verifier.fault',
])

/** Why a claim is not GREEN. */
export class Finding extends Error {
  readonly code: string
  readonly facts: Fact[]
  constructor(code: string, ...facts: Fact[]) {
    super(code)
    this.code = code
    this.facts = facts
  }
}

/** Stops with a finding unless the condition holds. */
export function must(condition: boolean, code: string, ...facts: Fact[]): asserts condition {
  if (!condition) throw new Finding(code, ...facts)
}

/** Whatever goes wrong in taking hostile bytes apart is this one finding. */
export function formed<T>(code: string, read: () => T, ...facts: Fact[]): T {
  try {
    return read()
  } catch {
    throw new Finding(code, ...facts)
  }
}

/** Runs the steps of a claim; the code that it returns says what was found GREEN. */
export async function claimed(claim: Claim['claim'], steps: () => Promise<[string, ...Fact[]]>): Promise<Claim> {
  try {
    const [code, ...facts] = await steps()
    return { claim, code, verdict: 'GREEN', facts }
  } catch (error) {
    // A fault of the verifier proves nothing about the cell.
    const found = error instanceof Finding ? error : new Finding('verifier.fault')
    return { claim, code: found.code, verdict: OPEN.has(found.code) ? 'CANNOT TELL' : 'RED', facts: found.facts }
  }
}

export function report(claims: Claim[]): Report {
  const found = new Set(claims.map((claim) => claim.verdict))
  const verdict = found.has('RED') ? 'RED' : found.has('CANNOT TELL') ? 'CANNOT TELL' : 'GREEN'
  return { verdict, claims, assumed: ASSUMED, notProved: NOT_PROVED }
}
