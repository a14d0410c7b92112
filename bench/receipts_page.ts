/** What `bench/receipts.py` runs in a browser: the verifier of the web client, timed in blocks,
 * since a browser's clock is coarse. */
import { fromBase64 } from '../web/src/verify/bytes.ts'
import { checkJournal, parseReceipt } from '../web/src/verify/journal.ts'
import { isIncluded, leafHash } from '../web/src/verify/merkle.ts'
import { cosignedAt, isSigned, parseCheckpoint, parseNote, signaturesBy } from '../web/src/verify/note.ts'
import { parsePolicy } from '../web/src/verify/policy.ts'

interface Given {
  policy: string
  receipt: string
  entry: string
  journal: string
  labelKey: string
  now: number
}

/** Milliseconds of each block's round, after some blocks to warm up. */
async function timed(blocks: number, rounds: number, run: () => Promise<void>): Promise<number[]> {
  const times = []
  for (let block = -Math.ceil(blocks / 4); block < blocks; block++) {
    const began = performance.now()
    for (let round = 0; round < rounds; round++) await run()
    if (block >= 0) times.push((performance.now() - began) / rounds)
  }
  return times
}

function sure(holds: boolean): void {
  if (!holds) throw new Error('the check came out wrong')
}

async function bench(given: Given): Promise<Record<string, number[]>> {
  const policy = parsePolicy(given.policy)
  const entry = fromBase64(given.entry)
  const [log] = policy.logs
  const receipt = async () => {
    const { index, path, note } = parseReceipt(given.receipt)
    const parsed = parseNote(note)
    const { size, root } = parseCheckpoint(parsed.text)
    const [signature] = signaturesBy(log!, parsed)
    sure(await isSigned(log!, parsed.text, signature!))
    sure(isIncluded(index, size, leafHash(entry), path, root))
  }
  const { index, path, note } = parseReceipt(given.receipt)
  const parsed = parseNote(note)
  const { size, root } = parseCheckpoint(parsed.text)
  const walk = async () => sure(isIncluded(index, size, leafHash(entry), path, root))
  const began = performance.now()
  await receipt()
  const times: Record<string, number[]> = {
    first: [performance.now() - began],
    receipt: await timed(40, 25, receipt),
    path: await timed(40, 25, walk),
  }
  for (const [name, key] of policy.witnesses) {
    const [signature] = signaturesBy(key, parsed)
    times[name] = await timed(20, 10, async () => sure((await cosignedAt(key, parsed.text, signature!)) !== null))
  }
  const { now, journal } = given
  const labelKey = fromBase64(given.labelKey)
  times.journal = await timed(15, 1, async () => {
    const report = await checkJournal({ policy: given.policy, now, labelKey, proofs: [journal] })
    sure(report.verdict === 'GREEN')
  })
  return times
}

Object.assign(globalThis, { bench })
