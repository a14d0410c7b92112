/**
 * "Verify everything": this browser checks what the cell tells of a person against the cell's own log, and remembers what it saw,
 * so that a later log has to begin with it.
 */
import { api } from '../../app/api/client.ts'
import type { JournalEntry } from '../../app/api/shapes.ts'
import { isKey, moment, number, t } from '../../app/i18n/index.svelte.ts'
import { recall, remember } from '../../app/memory.ts'
import { isLabelKey, keepLabelKey, keptLabelKey, toUrlForm } from '../../people/label-key.ts'
import { fromBase64 } from '../../verify/bytes.ts'
import { isOpening, isSaidOf, parsePerson } from '../../verify/entry.ts'
import { checkJournal, checkReceipt } from '../../verify/journal.ts'
import { parseCheckpoint, parseNote } from '../../verify/note.ts'
import { report, type Claim, type Verdict } from '../../verify/verdict.ts'
import { historyOf } from './history.ts'

/** What one look came to; its sentence is among the words `check.*`. */
export interface Finding {
  code: string
  verdict: Verdict
  facts: (string | number)[]
}
interface Last {
  at: string
  verdict: Verdict
}
interface Part {
  text: string
  checkpoint: string
  numbers: number[]
  isLast: boolean
}

const PAGE = 200
/** Facts that are times (POSIX seconds), by code. */
const TIMES: Record<string, number[]> = { 'witness.future': [0], 'witness.stale': [0], 'journal.complete': [2], 'receipt.included': [2] }
/** Findings about a checkpoint that its log did sign: such a one is worth remembering. */
const SIGNED = new Set(['journal.complete', 'journal.unsealed', 'journal.no-opening', 'journal.lost', 'witness.none', 'witness.stale', 'witness.quorum'])

class Checking {
  running = $state(false)
  step = $state<'keys' | 'entries' | 'proofs' | 'history'>('keys')
  verdict = $state<Verdict | null>(null)
  findings = $state.raw<Finding[]>([])
  /** By the number of the entry. */
  entries = $state.raw<Map<number, Finding>>(new Map())
  at = $state<string | null>(null)
  /** What the last look on this device came to. */
  last = $state.raw<Last | null>(null)
  problem = $state<unknown>(null)
  private person = ''
  private policy: { text: string; isFromCell: boolean } | null = null

  belongTo(personId: string): void {
    if (this.person === personId) return
    this.person = personId
    this.verdict = this.at = this.policy = null
    this.findings = []
    this.entries = new Map()
    this.last = asLast(recall(`checked.${personId}`))
  }

  /** The keys of the log, which somebody other than the cell has given; null goes back to the cell's own. */
  trust(policy: string | null): void {
    remember(`policy.${this.person}`, policy)
    this.policy = null
  }

  get trustsOthers(): boolean {
    return recall(`policy.${this.person}`) !== null
  }

  async run(): Promise<void> {
    if (this.running) return
    this.running = true
    this.problem = null
    try {
      const found = await this.look()
      this.findings = found
      this.verdict = report(found.map((finding): Claim => ({ claim: 'journal', ...finding }))).verdict
      this.at = new Date().toISOString()
      this.last = { at: this.at, verdict: this.verdict }
      remember(`checked.${this.person}`, JSON.stringify(this.last))
    } catch (problem) {
      this.problem = problem
    } finally {
      this.running = false
    }
  }

  /** Checks the receipt of one entry, and that it opens to what the cell shows of it. */
  async one(entry: JournalEntry): Promise<void> {
    if (entry.index === null) {
      this.mark([[entry.n, { code: 'entry.waits', verdict: 'CANNOT TELL', facts: [] }]])
      return
    }
    const [{ text: policy }, key] = [await this.policyText(), await this.labelKey()]
    const [receipt, leaf] = [await api.text(`/api/me/journal/${entry.n}/receipt`), bytesOf(entry.leaf)]
    const { claims } = await checkReceipt({ policy, now: now(), receipt, entries: leaf && new Map([[entry.index, leaf]]), ...(key ? { owner: { labelKey: key.bytes, n: entry.n } } : {}) })
    const claim = claims.find((each) => each.claim === 'receipt') ?? claims[0]
    if (!claim) return
    const isOpen = leaf !== null && opens(entry, leaf) && isTrue(entry)
    const found = entry.nonce === '' && claim.verdict !== 'RED' ? lostOne(entry.n) : claim
    this.mark([[entry.n, isOpen ? found : { code: 'journal.opening', verdict: 'RED', facts: [entry.n] }]])
  }

  /** The sentence of a finding. */
  words({ code, facts }: Finding): string {
    const key = `check.${code}`
    const times = TIMES[code] ?? []
    const params = facts.map((fact, at) => [String(at), typeof fact === 'string' ? fact : times.includes(at) ? moment(fact * 1000) : number(fact)])
    return isKey(key) ? t(key, Object.fromEntries(params)) : code
  }

  private async look(): Promise<Finding[]> {
    this.step = 'keys'
    const [{ text: policy, isFromCell }, key] = [await this.policyText(), await this.labelKey()]
    this.step = 'proofs'
    const parts = await proofs()
    this.step = 'entries'
    const shown = new Set(parts.flatMap((part) => part.numbers))
    const openings = (await everyEntry()).filter((entry) => shown.has(entry.n))
    const { claims } = await checkJournal({ policy, isPolicyFromCell: isFromCell, now: now(), proofs: parts.map((part) => part.text), labelKey: key?.bytes ?? null, openings, wantsOpenings: true })
    const journal = claims.find((claim) => claim.claim === 'journal')
    const lost = new Set(openings.filter((entry) => entry.nonce === '').map((entry) => entry.n))
    if (journal) this.mark([...shown].map((n) => [n, lost.has(n) && journal.verdict !== 'RED' ? lostOne(n) : ofEntry(journal, n)]))
    const found: Finding[] = [...claims, ...(isFromCell ? sameKeys(policy) : [])]
    if (key && journal && !journal.code.startsWith('journal.label')) {
      found.push({ code: key.isOwn ? 'key.own' : 'key.from-cell', verdict: 'GREEN', facts: [] })
      if (!key.isOwn) keepLabelKey(this.person, key.text)
    }
    const lied = openings.find((entry) => !isTrue(entry))
    if (lied) found.push({ code: 'journal.shown', verdict: 'RED', facts: [lied.n] })
    this.step = 'history'
    const checkpoint = parts.at(-1)?.checkpoint
    if (checkpoint && journal && SIGNED.has(journal.code)) found.push(await history(checkpoint))
    return found
  }

  private mark(found: [number, Finding][]): void {
    this.entries = new Map([...this.entries, ...found])
  }

  private async policyText(): Promise<{ text: string; isFromCell: boolean }> {
    const own = recall(`policy.${this.person}`)
    this.policy ??= own ? { text: own, isFromCell: false } : { text: await api.text('/ledger/policy'), isFromCell: true }
    return this.policy
  }

  /** The person's label key: the one made on this device, else the cell's copy. */
  private async labelKey(): Promise<{ bytes: Uint8Array; text: string; isOwn: boolean } | null> {
    const own = keptLabelKey(this.person)
    const text = own ?? toUrlForm((await api.get<{ label_key: string }>('/api/me/label-key')).label_key)
    if (!isLabelKey(text)) return null
    const bytes = bytesOf(`${text.replaceAll('-', '+').replaceAll('_', '/')}=`)
    return bytes && { bytes, text, isOwn: own !== null }
  }
}

export const checking = new Checking()

function now(): number {
  return Math.floor(Date.now() / 1000)
}

function bytesOf(base64: string): Uint8Array | null {
  try {
    return fromBase64(base64)
  } catch {
    return null
  }
}

function lostOne(n: number): Finding {
  return { code: 'journal.lost', verdict: 'CANNOT TELL', facts: [n] }
}

/** Is the opening what the leaf commits to, or, where that is lost, what the leaf says itself? */
function opens(entry: JournalEntry, leaf: Uint8Array): boolean {
  try {
    const [person, said] = [parsePerson(leaf), new TextEncoder().encode(entry.opening)]
    return entry.nonce === '' ? isSaidOf(person, entry.n, said) : isOpening(person, entry.n, fromBase64(entry.nonce), said)
  } catch {
    return false
  }
}

/** Are the fields that are shown those of the opening? */
function isTrue(entry: JournalEntry): boolean {
  try {
    const said = JSON.parse(entry.opening) as Record<string, unknown>
    const names = ['kind', 'class', 'at', 'actor', 'purpose', 'expires', 'note'] as const
    return names.every((name) => (said[name] ?? null) === entry[name]) && JSON.stringify(said['columns'] ?? []) === JSON.stringify(entry.columns)
  } catch {
    return false
  }
}

/** What the finding about the whole journal says of one entry. */
function ofEntry(journal: Claim, n: number): Finding {
  const isAbout = ['journal.label', 'journal.opening', 'journal.gap'].includes(journal.code) && journal.facts[0] === n
  if (journal.verdict !== 'RED' || isAbout) return journal.verdict === 'GREEN' || journal.code === 'journal.lost' ? { code: 'entry.in-log', verdict: 'GREEN', facts: [] } : journal
  return { code: 'entry.with-others', verdict: 'CANNOT TELL', facts: [] }
}

async function proofs(): Promise<Part[]> {
  const parts: Part[] = []
  for (let from = 0; ; ) {
    const part = partOf(await api.text('/api/me/journal/proof', { from }))
    parts.push(part)
    const next = (part.numbers.at(-1) ?? -1) + 1
    // A cell that gives the same part again and again must not keep the page busy.
    if (part.isLast || next <= from) return parts
    from = next
  }
}

/** What the page itself has to know of a part; that it is well-formed is for the check to say. */
function partOf(text: string): Part {
  try {
    const { checkpoint, entries, absence } = JSON.parse(text) as { checkpoint: string; entries: { n: number }[]; absence: unknown[] }
    return { text, checkpoint, numbers: entries.map((entry) => entry.n), isLast: absence.length > 0 || entries.length === 0 }
  } catch {
    return { text, checkpoint: '', numbers: [], isLast: true }
  }
}

async function everyEntry(): Promise<JournalEntry[]> {
  const entries: JournalEntry[] = []
  for (let before: number | null = null; ; ) {
    const page: { items: JournalEntry[]; next: number | null } = await api.get('/api/me/journal', { before, limit: PAGE })
    entries.push(...page.items)
    if (page.next === null || (before !== null && page.next >= before)) return entries
    before = page.next
  }
}

/** Compares a checkpoint with the one that this browser saw last, and keeps the newer one. */
async function history(note: string): Promise<Finding> {
  const head = parseCheckpoint(parseNote(note).text)
  const place = `seen.${head.origin}`
  const kept = recall(place)
  if (kept === null) {
    remember(place, note)
    return { code: 'history.first', verdict: 'GREEN', facts: [head.size] }
  }
  const before = parseCheckpoint(parseNote(kept).text)
  const found = await historyOf(before, head, (path) => api.bytes(`/ledger/access/${path}`))
  if (found === 'extended' || found === 'same') {
    remember(place, note)
    return { code: 'history.extended', verdict: 'GREEN', facts: [before.size, head.size] }
  }
  // The old one stays: it is evidence.
  return { code: `history.${found}`, verdict: found === 'unreadable' ? 'CANNOT TELL' : 'RED', facts: [before.size, head.size] }
}

/** The log's keys never change: those that the cell gave first are held against later ones. Witnesses come and go. */
function sameKeys(policy: string): Finding[] {
  const keys = policy.split('\n').filter((line) => line.startsWith('log ')).sort().join('\n')
  const kept = recall('keys')
  if (kept === null) remember('keys', keys)
  return kept === null || kept === keys ? [] : [{ code: 'policy.changed', verdict: 'RED', facts: [] }]
}

function asLast(text: string | null): Last | null {
  try {
    const last = JSON.parse(text ?? 'null') as Last | null
    return last && ['GREEN', 'RED', 'CANNOT TELL'].includes(last.verdict) && !Number.isNaN(Date.parse(last.at)) ? last : null
  } catch {
    return null
  }
}
