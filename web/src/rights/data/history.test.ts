import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leafHash, leftPart, nodeHash } from '../../verify/merkle.ts'
import { historyOf, spelt, type Fetch } from './history.ts'

function rootOf(leaves: Uint8Array[]): Uint8Array {
  if (leaves.length === 1) return leaves[0] as Uint8Array
  const cut = leftPart(leaves.length)
  return nodeHash(rootOf(leaves.slice(0, cut)), rootOf(leaves.slice(cut)))
}

const leavesOf = (size: number, from = 0) => Array.from({ length: size }, (_, at) => leafHash(Buffer.from(`entry ${from + at}`)))

/** The tiles of a log, by RFC 6962's definition rather than by what is tested. */
function tilesOf(leaves: Uint8Array[]): Map<string, Uint8Array> {
  const tiles = new Map<string, Uint8Array>()
  for (let level = 0, row = leaves; row.length > 0; level += 1) {
    for (let at = 0; at < row.length; at += 256) {
      const part = row.slice(at, at + 256)
      tiles.set(`tile/${level}/${spelt(at / 256)}${part.length < 256 ? `.p/${part.length}` : ''}`, Buffer.concat(part))
    }
    const full = Math.floor(row.length / 256)
    row = Array.from({ length: full }, (_, at) => rootOf(row.slice(at * 256, at * 256 + 256)))
  }
  return tiles
}

const serving = (tiles: Map<string, Uint8Array>): Fetch => async (path) => tiles.get(path) ?? null
const tree = (leaves: Uint8Array[]) => ({ size: leaves.length, root: rootOf(leaves) })

test('a log that has grown is seen to extend what it was', async () => {
  const all = leavesOf(66_000)
  for (const [before, after] of [[1, 2], [1, 255], [255, 256], [256, 257], [3, 700], [512, 513], [65_530, 66_000]] as const) {
    const leaves = all.slice(0, after)
    assert.equal(await historyOf(tree(all.slice(0, before)), tree(leaves), serving(tilesOf(leaves))), 'extended', `${before} to ${after}`)
  }
})

test('one changed entry of before is seen, whatever the tiles say', async () => {
  for (const [before, after] of [[5, 9], [300, 900], [256, 512]] as const) {
    const honest = leavesOf(before)
    const forged = [...leavesOf(before - 1), leafHash(Buffer.from('another')), ...leavesOf(after - before, 5000)]
    assert.equal(await historyOf(tree(honest), tree(forged), serving(tilesOf(forged))), 'forked')
    // Tiles of the old tree where the old root needs them, of the new one elsewhere.
    const mixed = new Map([...tilesOf(forged), ...tilesOf([...honest, ...forged.slice(before)])])
    assert.equal(await historyOf(tree(honest), tree(forged), serving(mixed)), 'forked')
  }
})

test('a shorter log, another one of the same length, and one that shows no tiles', async () => {
  const leaves = leavesOf(20)
  const nothing: Fetch = async () => null
  assert.equal(await historyOf(tree(leaves), tree(leaves.slice(0, 19)), nothing), 'truncated')
  assert.equal(await historyOf(tree(leaves), tree(leaves), nothing), 'same')
  assert.equal(await historyOf(tree(leaves), tree(leavesOf(20, 1)), nothing), 'forked')
  assert.equal(await historyOf(tree(leaves.slice(0, 9)), tree(leaves), nothing), 'unreadable')
  assert.equal(await historyOf({ size: 0, root: new Uint8Array(32) }, tree(leaves), nothing), 'extended')
})

test('a partial tile that is gone is read from the full one; a short one is no tile', async () => {
  const all = leavesOf(300)
  const now = all.slice(0, 200)
  assert.equal(await historyOf(tree(all.slice(0, 77)), tree(now), serving(tilesOf(all))), 'extended')
  const short = new Map([...tilesOf(now)].map(([path, bytes]) => [path, bytes.subarray(0, 50)]))
  assert.equal(await historyOf(tree(all.slice(0, 77)), tree(now), serving(short)), 'unreadable')
})

test('numbers of tiles are spelt as the standard says', () => {
  assert.deepEqual([0, 67, 1000, 1_234_067].map(spelt), ['000', '067', 'x001/000', 'x001/x234/067'])
})
