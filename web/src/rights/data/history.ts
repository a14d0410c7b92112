/**
 * Whether a log still begins with what it had before. The hashes that tell come from the log's tiles (C2SP tlog-tiles); both
 * roots are computed from the same hashes, as in a consistency proof (RFC 9162, section 2.1.4), so that tiles that lie fit
 * neither root.
 */
import { isEqual } from '../../verify/bytes.ts'
import { leftPart, nodeHash } from '../../verify/merkle.ts'

const WIDTH = 256
const HEIGHT = 8
const HASH_BYTES = 32

export interface Tree {
  size: number
  root: Uint8Array
}

/** The bytes of a tile by its path below the log, or null where there is none. */
export type Fetch = (path: string) => Promise<Uint8Array | null>

export type History = 'same' | 'extended' | 'truncated' | 'forked' | 'unreadable'

export async function historyOf(before: Tree, after: Tree, fetch: Fetch): Promise<History> {
  if (after.size < before.size) return 'truncated'
  if (after.size === before.size) return isEqual(before.root, after.root) ? 'same' : 'forked'
  if (before.size === 0) return 'extended'
  const tiles = new Tiles(after.size, fetch)
  try {
    const [old, now] = await both(0, after.size, before.size, tiles)
    return old && isEqual(old, before.root) && isEqual(now, after.root) ? 'extended' : 'forked'
  } catch (problem) {
    if (problem instanceof Unreadable) return 'unreadable'
    throw problem
  }
}

class Unreadable extends Error {}

/** Hashes over [start, end) of the new tree: of what the old tree of `cut` entries has of it, and of all. */
async function both(start: number, end: number, cut: number, tiles: Tiles): Promise<[Uint8Array | null, Uint8Array]> {
  if (end <= cut || start >= cut) {
    const whole = await hashOf(start, end, tiles)
    return [end <= cut ? whole : null, whole]
  }
  const middle = start + leftPart(end - start)
  const [oldLeft, left] = await both(start, middle, cut, tiles)
  const [oldRight, right] = await both(middle, end, cut, tiles)
  return [oldLeft && oldRight ? nodeHash(oldLeft, oldRight) : oldLeft, nodeHash(left, right)]
}

async function hashOf(start: number, end: number, tiles: Tiles): Promise<Uint8Array> {
  const height = Math.round(Math.log2(end - start))
  if (2 ** height === end - start) return tiles.hash(height, start / 2 ** height)
  const middle = start + leftPart(end - start)
  return nodeHash(await hashOf(start, middle, tiles), await hashOf(middle, end, tiles))
}

class Tiles {
  private readonly size: number
  private readonly fetch: Fetch
  private readonly known = new Map<string, Promise<Uint8Array>>()

  constructor(size: number, fetch: Fetch) {
    this.size = size
    this.fetch = fetch
  }

  /** The hash of the complete subtree number `index` of this height. */
  async hash(height: number, index: number): Promise<Uint8Array> {
    const level = Math.floor(height / HEIGHT)
    const many = 2 ** (height % HEIGHT)
    const first = index * many
    const tile = await this.tile(level, Math.floor(first / WIDTH))
    const at = first % WIDTH
    const row = Array.from({ length: many }, (_, step) => tile.subarray((at + step) * HASH_BYTES, (at + step + 1) * HASH_BYTES))
    if (row.some((hash) => hash.length !== HASH_BYTES)) throw new Unreadable()
    return folded(row)
  }

  private tile(level: number, index: number): Promise<Uint8Array> {
    const width = Math.min(WIDTH, Math.floor(this.size / WIDTH ** level) - index * WIDTH)
    const path = `tile/${level}/${spelt(index)}`
    const key = width < WIDTH ? `${path}.p/${width}` : path
    const known = this.known.get(key) ?? this.read(key, path)
    this.known.set(key, known)
    return known
  }

  private async read(key: string, whole: string): Promise<Uint8Array> {
    // A tile that has filled up meanwhile may have lost its partial forms.
    const found = (await this.fetch(key)) ?? (key === whole ? null : await this.fetch(whole))
    if (!found) throw new Unreadable()
    return found
  }
}

function folded(row: Uint8Array[]): Uint8Array {
  let hashes = row
  while (hashes.length > 1) {
    hashes = Array.from({ length: hashes.length / 2 }, (_, at) => nodeHash(hashes[2 * at] as Uint8Array, hashes[2 * at + 1] as Uint8Array))
  }
  return hashes[0] as Uint8Array
}

/** 1234067 as x001/x234/067. */
export function spelt(index: number): string {
  const groups = []
  for (let left = index; left > 0 || groups.length === 0; left = Math.floor(left / 1000)) groups.unshift(String(left % 1000).padStart(3, '0'))
  return groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/')
}
