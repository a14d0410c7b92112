/** The vectors for every verifier (tests/vectors/README.md): those without a ledger are judged here
 * as the auditor's own verifier judges them. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fromBase64, fromUtf8 } from './bytes.ts'
import { checkJournal, checkReceipt, entriesOf } from './journal.ts'
import { parsePolicy } from './policy.ts'
import type { Report } from './verdict.ts'

const HOME = new URL('../../../tests/vectors/', import.meta.url)

interface Expected {
  now: string
  verdict: string
  codes: string[]
  like?: string
  without?: string[]
}

type Files = Map<string, Uint8Array<ArrayBuffer>>

function expectedOf(name: string): Expected {
  return JSON.parse(readFileSync(new URL(`${name}/expected.json`, HOME), 'utf8'))
}

function filesOf(name: string): Files {
  const { like, without = [] } = expectedOf(name)
  const files: Files = like ? filesOf(like) : new Map()
  for (const gone of without) files.delete(gone)
  const home = new URL(`${name}/`, HOME)
  for (const found of readdirSync(home, { recursive: true, withFileTypes: true })) {
    const path = `${found.parentPath}/${found.name}`.slice(home.pathname.length).replace(/^\/+/, '')
    if (found.isFile() && path !== 'expected.json') files.set(path, new Uint8Array(readFileSync(new URL(path, home))))
  }
  return files
}

const text = (file: Uint8Array | undefined) => (file ? fromUtf8(file) : '')

function labelKey(file: Uint8Array<ArrayBuffer> | undefined): Uint8Array | null {
  if (file?.length === 32) return file
  try {
    return fromBase64(text(file).trim(), 32)
  } catch {
    return null
  }
}

/** What the files say, in the order of the auditor's verifier: the journal first, since it tells
 * which entries are known. */
async function judge(files: Files, now: number): Promise<Report[]> {
  const policy = text(files.get('policy'))
  const reports: Report[] = []
  const journal = files.get('journal/proof.json')
  let entries: Map<number, Uint8Array> | null = null
  if (journal) {
    const told = text(files.get('journal/journal.jsonl')).split('\n').filter((line) => line !== '')
    let proof = ''
    try {
      proof = text(journal)
    } catch {
      // Malformed: the check itself says so.
    }
    const openings = told.map((line) => {
      try {
        return JSON.parse(line)
      } catch {
        return { n: 0 }
      }
    })
    const key = labelKey(files.get('journal/label-key.txt'))
    const report = await checkJournal({ policy, now, labelKey: key, proofs: [proof], openings, wantsOpenings: told.length > 0 })
    reports.push(report)
    if (report.verdict === 'GREEN') entries = entriesOf(proof)
  }
  const receipt = files.get('receipt.tlog-proof')
  if (receipt) {
    let given = ''
    try {
      given = text(receipt)
    } catch {
      // Malformed: the check itself says so.
    }
    reports.push(await checkReceipt({ policy, now, receipt: given, entries }))
  }
  return reports
}

const names = existsSync(HOME) ? readdirSync(HOME).filter((name) => existsSync(new URL(`${name}/expected.json`, HOME))) : []
let tried = 0

for (const name of names) {
  const expected = expectedOf(name)
  const files = filesOf(name)
  if (!files.has('policy')) continue
  test(`policy of ${name}`, () => {
    let isFormed = true
    try {
      parsePolicy(text(files.get('policy')))
    } catch {
      isFormed = false
    }
    assert.equal(isFormed, !expected.codes.includes('policy.format'))
  })
  const isOurs = files.has('journal/proof.json') || files.has('receipt.tlog-proof')
  if (!isOurs || [...files.keys()].some((file) => file.startsWith('ledger/') || file === 'remember')) continue
  tried++
  test(name, async () => {
    const reports = await judge(files, Date.parse(expected.now) / 1000)
    const claims = reports.flatMap((report) => report.claims).filter((claim) => claim.verdict !== 'GREEN')
    assert.deepEqual(claims.map((claim) => claim.code).sort(), expected.codes, JSON.stringify(claims))
    const verdicts = new Set(claims.map((claim) => claim.verdict))
    const verdict = verdicts.has('RED') ? 'RED' : verdicts.size ? 'CANNOT TELL' : 'GREEN'
    assert.equal(verdict, expected.verdict)
  })
}

test('many vectors are tried', () => assert(tried > 50, `${tried}`))
