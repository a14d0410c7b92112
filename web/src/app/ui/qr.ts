/**
 * QR codes (ISO/IEC 18004), drawn on the device: bytes, level M, versions 1 to 10, which is 213 bytes at most. Returns the rows of
 * modules, dark is true.
 */

// For versions 1 to 10 at level M: codewords of error correction in each block, and the data codewords of each block.
const BLOCKS: readonly (readonly [number, readonly number[]])[] = [
  [10, [16]], [16, [28]], [26, [44]], [18, [32, 32]], [24, [43, 43]], [16, [27, 27, 27, 27]], [18, [31, 31, 31, 31]], [22, [38, 38, 39, 39]],
  [22, [36, 36, 36, 37, 37]], [26, [43, 43, 43, 43, 44]],
]
const ALIGNED: readonly (readonly number[])[] = [[], [6, 18], [6, 22], [6, 26], [6, 30], [6, 34], [6, 22, 38], [6, 24, 42], [6, 26, 46], [6, 28, 50]]
const LEVEL_M = 0

const EXP = new Uint8Array(512)
const LOG = new Uint8Array(256)
for (let at = 0, value = 1; at < 255; at++) {
  EXP[at] = EXP[at + 255] = value
  LOG[value] = at
  value = (value << 1) ^ (value & 0x80 ? 0x11d : 0)
}

export function qrCode(text: string): boolean[][] {
  const bytes = new TextEncoder().encode(text)
  const version = BLOCKS.findIndex(([, blocks], at) => bytes.length <= sum(blocks) - (at < 9 ? 2 : 3)) + 1
  if (version === 0) throw new RangeError('Too long for a QR code of ours')
  const grid = new Grid(version)
  grid.draw(codewords(bytes, version))
  return grid.masked()
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0)

/** Data and error correction of all blocks, interleaved. */
function codewords(bytes: Uint8Array, version: number): number[] {
  const [corrections, sizes] = BLOCKS[version - 1]!
  const bits: number[] = []
  const push = (value: number, count: number) => {
    for (let at = count - 1; at >= 0; at--) bits.push((value >> at) & 1)
  }
  push(4, 4)
  push(bytes.length, version < 10 ? 8 : 16)
  for (const byte of bytes) push(byte, 8)
  const room = sum(sizes) * 8
  push(0, Math.min(4, room - bits.length))
  push(0, (8 - (bits.length % 8)) % 8)
  for (let pad = 0xec; bits.length < room; pad ^= 0xec ^ 0x11) push(pad, 8)
  const data = Array.from({ length: room / 8 }, (_, at) => bits.slice(at * 8, at * 8 + 8).reduce((value, bit) => value * 2 + bit, 0))
  let from = 0
  const blocks = sizes.map((size) => data.slice(from, (from += size)))
  const remainders = blocks.map((block) => remainder(block, corrections))
  const woven = (rows: number[][]) => Array.from({ length: Math.max(...rows.map((row) => row.length)) }, (_, at) => rows.flatMap((row) => (at < row.length ? [row[at]!] : []))).flat()
  return [...woven(blocks), ...woven(remainders)]
}

/** Reed and Solomon's remainder. */
function remainder(block: number[], count: number): number[] {
  let generator = [1]
  for (let root = 0; root < count; root++) {
    const next = [...generator, 0]
    generator.forEach((term, at) => (next[at + 1] = next[at + 1]! ^ times(term, EXP[root]!)))
    generator = next
  }
  const rest = [...block, ...new Array<number>(count).fill(0)]
  for (let at = 0; at < block.length; at++) {
    const factor = rest[at]!
    if (factor) generator.forEach((term, place) => (rest[at + place] = rest[at + place]! ^ times(term, factor)))
  }
  return rest.slice(block.length)
}

function times(one: number, other: number): number {
  return one === 0 || other === 0 ? 0 : EXP[LOG[one]! + LOG[other]!]!
}

const MASKS: readonly ((row: number, column: number) => boolean)[] = [
  (row, column) => (row + column) % 2 === 0,
  (row) => row % 2 === 0,
  (_, column) => column % 3 === 0,
  (row, column) => (row + column) % 3 === 0,
  (row, column) => (Math.floor(row / 2) + Math.floor(column / 3)) % 2 === 0,
  (row, column) => ((row * column) % 2) + ((row * column) % 3) === 0,
  (row, column) => (((row * column) % 2) + ((row * column) % 3)) % 2 === 0,
  (row, column) => (((row + column) % 2) + ((row * column) % 3)) % 2 === 0,
]

class Grid {
  private readonly size: number
  private readonly dark: boolean[][]
  private readonly fixed: boolean[][]

  constructor(version: number) {
    this.size = version * 4 + 17
    const empty = () => Array.from({ length: this.size }, () => new Array<boolean>(this.size).fill(false))
    this.dark = empty()
    this.fixed = empty()
    for (let at = 0; at < this.size; at++) {
      this.set(6, at, at % 2 === 0)
      this.set(at, 6, at % 2 === 0)
    }
    for (const [row, column] of [[3, 3], [3, this.size - 4], [this.size - 4, 3]] as const) this.square(row, column, 4, [4, 2])
    const places = ALIGNED[version - 1]!
    const last = places.at(-1)
    for (const row of places) {
      for (const column of places) {
        const isCorner = (row === 6 && column === 6) || (row === 6 && column === last) || (row === last && column === 6)
        if (!isCorner) this.square(row, column, 2, [1])
      }
    }
    this.format(0)
    if (version >= 7) this.version(version)
  }

  private set(row: number, column: number, isDark: boolean): void {
    if (row < 0 || column < 0 || row >= this.size || column >= this.size) return
    this.dark[row]![column] = isDark
    this.fixed[row]![column] = true
  }

  /** Rings around a centre; those at the distances named are light. */
  private square(row: number, column: number, reach: number, light: number[]): void {
    for (let down = -reach; down <= reach; down++) {
      for (let across = -reach; across <= reach; across++) this.set(row + down, column + across, !light.includes(Math.max(Math.abs(down), Math.abs(across))))
    }
  }

  private format(mask: number): void {
    const data = (LEVEL_M << 3) | mask
    let rest = data
    for (let at = 0; at < 10; at++) rest = (rest << 1) ^ ((rest >> 9) * 0x537)
    const bits = ((data << 10) | rest) ^ 0x5412
    const bit = (at: number) => ((bits >> at) & 1) === 1
    for (let at = 0; at < 15; at++) {
      const first = at < 6 ? at : at < 8 ? at + 1 : this.size - 15 + at
      this.set(first, 8, bit(at))
      const second = at < 8 ? this.size - 1 - at : at === 8 ? 7 : 14 - at
      this.set(8, second, bit(at))
    }
    this.set(this.size - 8, 8, true)
  }

  private version(version: number): void {
    let rest = version
    for (let at = 0; at < 12; at++) rest = (rest << 1) ^ ((rest >> 11) * 0x1f25)
    const bits = (version << 12) | rest
    for (let at = 0; at < 18; at++) {
      const [long, short] = [this.size - 11 + (at % 3), Math.floor(at / 3)]
      this.set(long, short, ((bits >> at) & 1) === 1)
      this.set(short, long, ((bits >> at) & 1) === 1)
    }
  }

  /** The codewords, two columns at a time, up and down, from the right. */
  draw(words: number[]): void {
    let at = 0
    for (let right = this.size - 1; right >= 1; right -= 2) {
      if (right === 6) right = 5
      for (let step = 0; step < this.size; step++) {
        const row = ((right + 1) & 2) === 0 ? this.size - 1 - step : step
        for (const column of [right, right - 1]) {
          if (this.fixed[row]![column]) continue
          this.dark[row]![column] = (((words[at >> 3] ?? 0) >> (7 - (at & 7))) & 1) === 1
          at += 1
        }
      }
    }
  }

  /** With the mask that leaves the fewest patterns a camera could mistake. */
  masked(): boolean[][] {
    let best: { rows: boolean[][]; cost: number } | null = null
    for (const [at, mask] of MASKS.entries()) {
      this.format(at)
      const rows = this.dark.map((line, row) => line.map((isDark, column) => (this.fixed[row]![column] ? isDark : isDark !== mask(row, column))))
      const cost = penalty(rows)
      if (!best || cost < best.cost) best = { rows, cost }
    }
    return best!.rows
  }
}

const EYES = ['10111010000', '00001011101']

function penalty(rows: boolean[][]): number {
  const size = rows.length
  const columns = rows.map((_, at) => rows.map((row) => row[at]!))
  let cost = 0
  for (const line of [...rows, ...columns]) {
    const text = line.map((isDark) => (isDark ? '1' : '0')).join('')
    for (const [run] of text.matchAll(/0{5,}|1{5,}/g)) cost += run.length - 2
    for (const eye of EYES) for (let at = text.indexOf(eye); at >= 0; at = text.indexOf(eye, at + 1)) cost += 40
  }
  for (let row = 1; row < size; row++) {
    for (let column = 1; column < size; column++) {
      const square = [rows[row]![column], rows[row - 1]![column], rows[row]![column - 1], rows[row - 1]![column - 1]]
      if (square.every((isDark) => isDark === square[0])) cost += 3
    }
  }
  const share = rows.flat().filter(Boolean).length / (size * size)
  return cost + Math.floor(Math.abs(share * 20 - 10)) * 10
}
