/**
 * Checks what a cell says about one person: that an entry is in the log (a receipt), and that all
 * entries about them are shown (a journal). Trusts the policy, the label key and this page, and
 * nothing that the cell sends. Formats: docs/reference/ledger-formats.md.
 */
import { demand, fromBase64, isEqual, natural, parseNumber, toUtf8 } from './bytes.ts'
import { isOpening, isSaidOf, labelOf, parsePerson, type PersonEntry } from './entry.ts'
import { isIncluded, leafHash } from './merkle.ts'
import { type Checkpoint, cosignedAt, isSigned, type Note, parseCheckpoint, parseNote, signaturesBy } from './note.ts'
import { isEnough, type Policy, parsePolicy } from './policy.ts'
import { type Absence, hashes, isProved, list, parseAbsence, record, whereIs } from './seal.ts'
import { type Claim, claimed, type Fact, Finding, formed, must, type Report, report } from './verdict.ts'

export const WINDOW = 64
const CLOCK_SLACK_S = 300
// The names that a cell gives its own witness: it proves nothing to others.
const OWN = ['local', 'local-pq']
const FRESH_S = 26 * 3600
const SEAL_DUE_S = 26 * 3600
const LABEL_KEY_BYTES = 32

export interface Trust {
  /** A tlog-policy, from somebody other than the cell if possible. */
  policy: string
  isPolicyFromCell?: boolean
  /** POSIX seconds. */
  now: number
}

/** What an entry commits to, as `/api/me/journal` has it: `nonce` in base64, `opening` as text. */
export interface Opened {
  n: number
  nonce: string
  opening: string
}

export interface ReceiptInput extends Trust {
  /** The text of a `.tlog-proof`. */
  receipt: string
  /** Entries of the log `access` about the person, by index, from their journal (`entriesOf`);
   * null if they are not known. The receipt does not hold its entry. */
  entries: Map<number, Uint8Array> | null
  /** Whose it should be, and its number, where the journal was not checked. */
  owner?: { labelKey: Uint8Array; n: number }
}

export interface JournalInput extends Trust {
  /** The journal proof; several, if it came in parts. The last one shows that there is no more. */
  proofs: string[]
  labelKey: Uint8Array | null
  /** Those that are here are checked. */
  openings?: Opened[]
  /** Whether an entry without an opening leaves the question open. */
  wantsOpenings?: boolean
}

export function checkReceipt(input: ReceiptInput): Promise<Report> {
  return underPolicy(input, (policy) => claimed('receipt', () => receiptSteps(input, policy)))
}

export function checkJournal(input: JournalInput): Promise<Report> {
  return underPolicy(input, (policy) => claimed('journal', () => journalSteps(input, policy)))
}

async function underPolicy(input: Trust, check: (policy: Policy) => Promise<Claim>): Promise<Report> {
  let policy: Policy | undefined
  const claims = [
    await claimed('policy', async () => {
      policy = formed('policy.format', () => parsePolicy(input.policy))
      must(!input.isPolicyFromCell, 'policy.from-cell')
      return ['policy.read', policy.logs.length, policy.witnesses.size]
    }),
  ]
  if (policy) claims.push(await check(policy))
  return report(claims)
}

// Receipts

async function receiptSteps(input: ReceiptInput, policy: Policy): Promise<[string, ...Fact[]]> {
  const proof = formed('receipt.format', () => parseReceipt(input.receipt))
  const { checkpoint, seen } = await witnessed(proof.note, policy, input.now, Infinity)
  const { entries, owner } = input
  const isAccess = checkpoint.origin.endsWith('/access')
  must(!isAccess || entries === null || entries.has(proof.index), 'receipt.not-yours')
  const entry = isAccess ? entries?.get(proof.index) : undefined
  must(entry !== undefined, 'receipt.no-entry')
  const isIn = isIncluded(proof.index, checkpoint.size, leafHash(entry), proof.path, checkpoint.root)
  must(isIn, 'receipt.inclusion', proof.index)
  if (owner) {
    const { label } = formed('receipt.not-yours', () => parsePerson(entry))
    must(isEqual(label, labelOf(owner.labelKey, owner.n)), 'receipt.not-yours')
  }
  return ['receipt.included', proof.index, checkpoint.origin, seen]
}

/** A tlog-proof taken apart: C2SP tlog-proof. */
export function parseReceipt(text: string): { index: number; path: Uint8Array[]; note: string } {
  const cut = text.indexOf('\n\n')
  demand(cut >= 0)
  const [header, ...lines] = text.slice(0, cut).split('\n')
  if (lines[0]?.startsWith('extra ')) fromBase64(lines.shift()!.slice(6)) // nothing vouches for it
  const index = lines.shift()
  demand(header === 'c2sp.org/tlog-proof@v1' && index !== undefined && index.startsWith('index '))
  return { index: parseNumber(index.slice(6)), path: hashes(lines), note: text.slice(cut + 2) }
}

// Journals

interface Part {
  note: string
  entries: { n: number; index: number; leaf: Uint8Array; person: PersonEntry; path: Uint8Array[] }[]
  absence: (Absence & { path: Uint8Array[] })[]
}

/** The entries of a journal proof by index, for `checkReceipt`, once the journal was found GREEN. */
export function entriesOf(proof: string): Map<number, Uint8Array> {
  return new Map(parsePart(proof).entries.map(({ index, leaf }) => [index, leaf]))
}

function parsePart(text: string): Part {
  // Numbers of a proof are whole and not negative; JSON.parse would read 1.0 as 1.
  demand(!/\d[.eE]|-/.test(text.replace(/"(?:[^"\\]|\\.)*"/g, '')))
  const shape = record(JSON.parse(text))
  demand(typeof shape.checkpoint === 'string')
  return {
    note: shape.checkpoint,
    entries: list(shape.entries).map(record).map((each) => {
      const leaf = fromBase64(each.leaf)
      const person = parsePerson(leaf)
      return { n: natural(each.n), index: natural(each.index), leaf, person, path: hashes(each.path) }
    }),
    absence: list(shape.absence).map((each) => ({ ...parseAbsence(each), path: hashes(record(each).path) })),
  }
}

async function journalSteps(input: JournalInput, policy: Policy): Promise<[string, ...Fact[]]> {
  const { labelKey } = input
  must(labelKey?.length === LABEL_KEY_BYTES, 'journal.no-key')
  // 1. Each part is well-formed, and about a checkpoint that was signed and seen.
  const parts = formed('journal.format', () => input.proofs.map(parsePart))
  const heads: Witnessed[] = []
  for (const part of parts) heads.push(await witnessed(part.note, policy, input.now, FRESH_S))
  const head = heads.at(-1)
  must(head !== undefined, 'journal.format')
  for (const { checkpoint } of heads) {
    const isAccess = checkpoint.origin.endsWith('/access') && checkpoint.origin === head.checkpoint.origin
    must(isAccess, 'checkpoint.origin', checkpoint.origin)
  }
  // 2. Entries 0, 1, 2 … without a gap, each with its label; they and the seals are in the log.
  const entries = parts.flatMap((part) => part.entries)
  for (const { n, person } of entries) {
    const isMine = isEqual(person.label, labelOf(labelKey, n)) && (person.kind === 'enrol') === (n === 0)
    must(isMine, 'journal.label', n)
  }
  entries.forEach(({ n }, at) => must(n === at, 'journal.gap', at))
  must(entries.length > 0, 'journal.gap', 0)
  parts.forEach((part, at) => {
    const { size, root } = heads[at]!.checkpoint
    for (const { index, leaf, path } of part.entries) {
      must(isIncluded(index, size, leafHash(leaf), path, root), 'journal.inclusion', index)
    }
    for (const { sealIndex, entry, path } of part.absence) {
      must(isIncluded(sealIndex, size, leafHash(entry), path, root), 'journal.inclusion', sealIndex)
    }
  })
  // 3. Openings say what was logged; those of entries newer than the proof wait for the next.
  const openings = (input.openings ?? []).filter(({ n }) => !(n >= entries.length))
  const lost = openings.filter(({ nonce }) => nonce === '').map(({ n }) => n)
  for (const { n, nonce, opening } of openings) {
    const { person } = entries[n]!
    const read = () => nonce === '' ? isSaidOf(person, n, toUtf8(opening)) : isOpening(person, n, fromBase64(nonce), toUtf8(opening))
    must(formed('journal.opening', read, n), 'journal.opening', n)
  }
  // 4. The labels that would come next are absent from each sealed range, from 0 on.
  const { end, sealed, isLast } = checkAbsence(parts.at(-1)!.absence, labelKey, entries.length, head.checkpoint.size)
  // 5. The newest seal is the limit of what is known. One dated ahead would never grow old.
  const isRecent = sealed <= head.seen + CLOCK_SLACK_S && head.seen - sealed <= SEAL_DUE_S
  must(isLast || isRecent, 'journal.unsealed')
  const opened = new Set(openings.map(({ n }) => n))
  if (input.wantsOpenings) for (const { n } of entries) must(opened.has(n), 'journal.no-opening', n)
  must(lost.length === 0, 'journal.lost', ...lost.slice(0, 1))
  return ['journal.complete', entries.length, end, sealed]
}

/** That the next labels are in none of the ranges; up to which index, when that was sealed (POSIX
 * seconds), and whether nothing came after. */
function checkAbsence(absence: readonly Absence[], labelKey: Uint8Array, next: number, size: number) {
  const coming = Array.from({ length: WINDOW }, (_, at) => ({ n: next + at, label: labelOf(labelKey, next + at) }))
  let end = 0
  let sealed = 0
  for (const each of absence) {
    const { seal, sealIndex } = each
    must(seal.first === end && end <= seal.end && seal.end <= sealIndex, 'journal.cover', end)
    must(isProved(each), 'journal.absence', sealIndex)
    for (const { n, label } of coming) {
      const where = whereIs(label, each)
      must(where !== 'there', 'journal.hidden', n)
      must(where === 'absent', 'journal.absence', sealIndex)
    }
    end = seal.end
    sealed = seal.minute * 60
  }
  const last = absence.at(-1)?.sealIndex
  return { end, sealed, isLast: last !== undefined && end === last && last === size - 1 }
}

// Checkpoints

interface Witnessed {
  checkpoint: Checkpoint
  seen: number
}

/** A checkpoint that its log signed, and the newest time (POSIX seconds) at which enough witnesses
 * had seen it. */
async function witnessed(text: string, policy: Policy, now: number, freshSeconds: number): Promise<Witnessed> {
  const { note, checkpoint } = formed('checkpoint.format', () => {
    const parsed = parseNote(text)
    return { note: parsed, checkpoint: parseCheckpoint(parsed.text) }
  })
  await checkLog(note, checkpoint, policy)
  const times = new Map<string, number>()
  for (const [name, key] of policy.witnesses) {
    for (const signature of signaturesBy(key, note)) {
      const at = await cosignedAt(key, note.text, signature)
      must(at !== null, 'witness.signature')
      must(at <= now + CLOCK_SLACK_S, 'witness.future', at)
      times.set(name, Math.max(at, times.get(name) ?? 0))
    }
  }
  must(!isEnough(policy, OWN), 'witness.none')
  for (const seen of [...times.values()].sort((left, right) => right - left)) {
    if (isEnough(policy, [...times].filter(([, at]) => at >= seen).map(([name]) => name))) {
      must(seen >= now - freshSeconds, 'witness.stale', seen)
      return { checkpoint, seen }
    }
  }
  throw new Finding('witness.quorum', times.size, policy.witnesses.size)
}

async function checkLog(note: Note, checkpoint: Checkpoint, policy: Policy): Promise<void> {
  const keys = policy.logs.filter((key) => key.name === checkpoint.origin)
  must(keys.length > 0, 'checkpoint.origin', checkpoint.origin)
  const signed = keys.flatMap((key) => signaturesBy(key, note).map((signature) => ({ key, signature })))
  must(signed.length > 0, 'checkpoint.unknown-key')
  for (const { key, signature } of signed) {
    must(await isSigned(key, note.text, signature), 'checkpoint.signature')
  }
}
