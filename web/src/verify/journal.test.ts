/** Whole checks, over a small cell's log and every way to cheat that we thought of. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fromBase64 } from './bytes.ts'
import { checkJournal, checkReceipt } from './journal.ts'
import type { Report } from './verdict.ts'

interface Case {
  name: string
  verdict: string
  code: string
  set: [(string | number)[], unknown][]
}

function cases(name: string): { good: any; cases: Case[] } {
  return JSON.parse(readFileSync(new URL(`../../../tests/vectors/browser/${name}`, import.meta.url), 'utf8'))
}

/** The good case with other things in some places. */
function changed(good: any, { set }: Case): any {
  const copy = structuredClone(good)
  for (const [path, value] of set) {
    const last = path.pop()!
    path.reduce((place, step) => place[step], copy)[last] = value
    path.push(last)
  }
  return copy
}

function assertSays(report: Report, { name, verdict, code }: Case): void {
  const found = report.claims.find((claim) => claim.verdict === report.verdict && claim.verdict !== 'GREEN')
  const last = found ?? report.claims.at(-1)!
  assert.deepEqual([report.verdict, last.code], [verdict, code], `${name}: ${JSON.stringify(report.claims)}`)
}

const receipts = cases('receipts.json')
const journals = cases('journals.json')

function entries({ entry, index }: any): Map<number, Uint8Array> | null {
  return entry && new Map([[index, fromBase64(entry)]])
}

function receiptOf(given: any): Promise<Report> {
  return checkReceipt({
    policy: given.policy, now: given.now, receipt: given.receipt, entries: entries(given),
    owner: { labelKey: fromBase64(given.label_key), n: given.n },
  })
}

function journalOf(given: any): Promise<Report> {
  return checkJournal({
    policy: given.policy, now: given.now, labelKey: given.label_key && fromBase64(given.label_key),
    openings: given.openings ?? undefined, proofs: given.proofs.map((proof: unknown) => JSON.stringify(proof)),
  })
}

for (const each of receipts.cases) {
  test(`receipt: ${each.name}`, async () => assertSays(await receiptOf(changed(receipts.good, each)), each))
}

for (const each of journals.cases) {
  test(`journal: ${each.name}`, async () => assertSays(await journalOf(changed(journals.good, each)), each))
}

test('a policy that comes from the cell settles nothing', async () => {
  const { policy, now, receipt } = receipts.good
  const report = await checkReceipt({ policy, now, receipt, entries: entries(receipts.good), isPolicyFromCell: true })
  assert.equal(report.verdict, 'CANNOT TELL')
  assert.deepEqual(report.claims.map((claim) => claim.code), ['policy.from-cell', 'receipt.included'])
})

test('a receipt may be anybody’s', async () => {
  const { policy, now, receipt } = receipts.good
  const report = await checkReceipt({ policy, now, receipt, entries: entries(receipts.good) })
  assert.equal(report.verdict, 'GREEN')
})

test('an opening that is missing leaves the question open where all are wanted', async () => {
  const { policy, now, label_key, openings, proofs } = journals.good
  const given = { policy, now, labelKey: fromBase64(label_key), proofs: proofs.map((proof: unknown) => JSON.stringify(proof)) }
  const whole = await checkJournal({ ...given, openings, wantsOpenings: true })
  assert.equal(whole.verdict, 'GREEN')
  const report = await checkJournal({ ...given, openings: openings.slice(1), wantsOpenings: true })
  assert.deepEqual([report.verdict, report.claims.at(-1)!.code, report.claims.at(-1)!.facts], ['CANNOT TELL', 'journal.no-opening', [0]])
})

test('JSON that is none is a malformed journal', async () => {
  const report = await checkJournal({ ...journals.good, labelKey: new Uint8Array(32), proofs: ['{'] })
  assert.equal(report.claims.at(-1)!.code, 'journal.format')
})

test('what is assumed and not proved stands beside every verdict', async () => {
  const report = await journalOf(journals.good)
  assert(report.assumed.length > 0 && report.notProved.length > 0)
})

test('browsers without Ed25519 of their own verify alike', async (t) => {
  t.mock.method(crypto.subtle, 'importKey', () => Promise.reject(new Error('not here')))
  for (const name of ['good', 'another size', 'a cosignature of another head']) {
    const each = journals.cases.find((found) => found.name === name)!
    assertSays(await journalOf(changed(journals.good, each)), each)
  }
})
