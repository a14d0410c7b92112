/**
 * Arithmetic modulo 2^255 − 19 in WebAssembly: ten limbs of 26 and 25 bits in turn, each in a 64-bit
 * integer (the shape that ref10 made known). The module is put together here, instruction by
 * instruction, so that there is no binary to trust; `ristretto.test.ts` compares all that is built on
 * it with noble-curves. Addresses are offsets in the module's memory.
 */

const LIMBS = 10
/** Of one element, in bytes. */
export const SIZE = LIMBS * 8
export const P = 2n ** 255n - 19n
const BITS = [26, 25, 26, 25, 26, 25, 26, 25, 26, 25]
const AT = [0, 26, 51, 77, 102, 128, 153, 179, 204, 230]
const PAGE = 65536

interface Code {
  mul: (out: number, a: number, b: number) => void
  /** Squares n times. */
  square: (out: number, a: number, n: number) => void
  add: (out: number, a: number, b: number) => void
  sub: (out: number, a: number, b: number) => void
  memory: WebAssembly.Memory
}

export class Field {
  readonly mul: Code['mul']
  readonly square: Code['square']
  readonly add: Code['add']
  readonly sub: Code['sub']
  private readonly memory: WebAssembly.Memory
  private words: Int32Array
  private end = 64
  private readonly limbs = new Int32Array(LIMBS)
  private readonly others = new Int32Array(LIMBS)

  /** Throws where the browser runs no WebAssembly. */
  constructor() {
    const { mul, square, add, sub, memory } = new WebAssembly.Instance(new WebAssembly.Module(assembled())).exports as unknown as Code
    this.mul = mul
    this.square = square
    this.add = add
    this.sub = sub
    this.memory = memory
    this.words = new Int32Array(memory.buffer)
  }

  /** Room for so many elements, one after the other. */
  room(elements: number): number {
    const at = this.end
    this.end += elements * SIZE
    const missing = this.end - this.memory.buffer.byteLength
    if (missing > 0) {
      this.memory.grow(Math.ceil(missing / PAGE))
      this.words = new Int32Array(this.memory.buffer)
    }
    return at
  }

  /** What was given out since is room again. */
  mark(): number {
    return this.end
  }

  release(mark: number): void {
    this.end = mark
  }

  copy(out: number, from: number, elements = 1): void {
    this.words.copyWithin(out / 4, from / 4, (from + elements * SIZE) / 4)
  }

  /** Reads 32 bytes, little-endian; the top bit is passed over. */
  read(out: number, bytes: Uint8Array, offset = 0): void {
    for (let i = 0; i < LIMBS; i++) {
      const bit = AT[i]!
      const start = offset + (bit >> 3)
      let value = 0
      for (let k = 4; k >= 0; k--) value = value * 256 + (start + k < offset + 32 ? bytes[start + k]! : 0)
      value = Math.floor(value / 2 ** (bit & 7)) % 2 ** BITS[i]!
      this.words[out / 4 + 2 * i] = value
      this.words[out / 4 + 2 * i + 1] = 0
    }
  }

  set(out: number, value: bigint): void {
    const bytes = new Uint8Array(32)
    for (let i = 0; i < 32; i++) bytes[i] = Number((value >> BigInt(8 * i)) & 255n)
    this.read(out, bytes)
  }

  /** Whether the one form of an element is odd, which RFC 9496 calls negative. Like `same` and `write`, for what came out of `mul` or `square`. */
  odd(at: number): boolean {
    this.reduce(at, this.limbs)
    return (this.limbs[0]! & 1) === 1
  }

  same(a: number, b: number): boolean {
    const [one, other] = [this.limbs, this.others]
    this.reduce(a, one)
    this.reduce(b, other)
    for (let i = 0; i < LIMBS; i++) if (one[i] !== other[i]) return false
    return true
  }

  /** The one form of an element as 32 bytes. */
  write(at: number): Uint8Array {
    const h = this.limbs
    this.reduce(at, h)
    const bytes = new Uint8Array(32)
    let held = 0
    let bits = 0
    let k = 0
    for (let i = 0; i < LIMBS; i++) {
      held += h[i]! * 2 ** bits
      bits += BITS[i]!
      while (bits >= 8) {
        bytes[k++] = held % 256
        held = Math.floor(held / 256)
        bits -= 8
      }
    }
    bytes[k] = held
    return bytes
  }

  /** The limbs of the one form, below p. */
  private reduce(at: number, h: Int32Array): void {
    const { words } = this
    const first = at >> 2
    // How often p is to be taken away: 0 or 1, and −1 where the element is below 0.
    let q = (19 * words[first + 18]! + (1 << 24)) >> 25
    for (let i = 0; i < LIMBS; i += 2) q = (words[first + 2 * i + 2]! + ((words[first + 2 * i]! + q) >> 26)) >> 25
    let carry = 19 * q
    for (let i = 0; i < LIMBS; i += 2) {
      const even = words[first + 2 * i]! + carry
      h[i] = even & 0x3ffffff
      const next = words[first + 2 * i + 2]! + (even >> 26)
      h[i + 1] = next & 0x1ffffff
      carry = next >> 25
    }
  }
}

// --- putting the module together ------------------------------------------------------------------

const I32 = 0x7f
const I64 = 0x7e
const GET = 0x20
const SET = 0x21
const TEE = 0x22
const LOAD = [0x29, 3]
const STORE = [0x37, 3]
const MUL = 0x7e
const ADD = 0x7c
const SUB = 0x7d
const SHL = 0x86
const SHR = 0x87

function unsigned(value: number): number[] {
  const found: number[] = []
  for (;;) {
    const low = value & 127
    value >>>= 7
    if (value === 0) return [...found, low]
    found.push(low | 128)
  }
}

/** A 64-bit constant on the stack. */
function constant(value: number): number[] {
  const found = [0x42]
  for (let left = value; ; ) {
    const low = left & 127
    left >>= 7
    if ((left === 0 && !(low & 64)) || (left === -1 && low & 64)) return [...found, low]
    found.push(low | 128)
  }
}

const get = (local: number): number[] => [GET, ...unsigned(local)]
const load = (pointer: number, limb: number): number[] => [...get(pointer), ...LOAD, ...unsigned(8 * limb)]
const store = (pointer: number, limb: number, value: number[]): number[] => [...get(pointer), ...value, ...STORE, ...unsigned(8 * limb)]
const all = (make: (limb: number) => number[]): number[] => Array.from({ length: LIMBS }, (_, i) => make(i)).flat()

/** Sums of products by the factor that they all take. */
function sum(terms: { factor: number; a: number; b: number }[]): number[] {
  const code: number[] = []
  const factors = [...new Set(terms.map((term) => term.factor))]
  factors.forEach((factor, n) => {
    terms.filter((term) => term.factor === factor).forEach((term, m) => code.push(...get(term.a), ...get(term.b), MUL, ...(m ? [ADD] : [])))
    if (factor !== 1) code.push(...constant(factor), MUL)
    if (n) code.push(ADD)
  })
  return code
}

/** Brings ten sums (locals h, h + 1 …) back to their size, rounding; in the order of ref10. */
function carried(h: number, carry: number): number[] {
  return [0, 4, 1, 5, 2, 6, 3, 7, 4, 8, 9, 0].flatMap((i) => {
    const bits = BITS[i]!
    const next = h + ((i + 1) % LIMBS)
    return [
      ...get(h + i), ...constant(2 ** (bits - 1)), ADD, ...constant(bits), SHR, TEE, ...unsigned(carry), ...(i === 9 ? [...constant(19), MUL] : []),
      ...get(next), ADD, SET, ...unsigned(next),
      ...get(h + i), ...get(carry), ...constant(bits), SHL, SUB, SET, ...unsigned(h + i),
    ]
  })
}

const factorOf = (i: number, j: number): number => (i + j >= LIMBS ? 19 : 1) * (i & 1 && j & 1 ? 2 : 1)

function multiplication(): number[] {
  const [f, g, h, carry] = [3, 13, 23, 33]
  return [
    ...all((i) => [...load(1, i), SET, ...unsigned(f + i)]),
    ...all((i) => [...load(2, i), SET, ...unsigned(g + i)]),
    ...all((k) => [...sum(Array.from({ length: LIMBS }, (_, i) => ({ factor: factorOf(i, (k - i + LIMBS) % LIMBS), a: f + i, b: g + ((k - i + LIMBS) % LIMBS) }))), SET, ...unsigned(h + k)]),
    ...carried(h, carry),
    ...all((i) => store(0, i, get(h + i))),
  ]
}

function squaring(): number[] {
  const [f, h, carry] = [3, 13, 23]
  const pairs = (k: number) => {
    const found: { factor: number; a: number; b: number }[] = []
    for (let i = 0; i < LIMBS; i++) for (let j = i; j < LIMBS; j++) if ((i + j) % LIMBS === k) found.push({ factor: factorOf(i, j) * (i === j ? 1 : 2), a: f + i, b: f + j })
    return found
  }
  return [
    ...all((i) => [...load(1, i), SET, ...unsigned(f + i)]),
    0x03, 0x40, // loop
    ...all((k) => [...sum(pairs(k)), SET, ...unsigned(h + k)]),
    ...carried(h, carry),
    ...all((i) => [...get(h + i), SET, ...unsigned(f + i)]),
    ...get(2), 0x41, 1, 0x6b, TEE, 2, 0x0d, 0, // n − 1, again unless it is 0
    0x0b,
    ...all((i) => store(0, i, get(f + i))),
  ]
}

const each = (operation: number): number[] => all((i) => store(0, i, [...load(1, i), ...load(2, i), operation]))

function assembled(): BufferSource {
  const vector = (parts: number[][]): number[] => [...unsigned(parts.length), ...parts.flat()]
  const section = (id: number, content: number[]): number[] => [id, ...unsigned(content.length), ...content]
  const body = (locals: number, code: number[]): number[] => {
    const content = [...(locals ? [1, ...unsigned(locals), I64] : [0]), ...code, 0x0b]
    return [...unsigned(content.length), ...content]
  }
  const name = (text: string): number[] => [text.length, ...text].map((sign) => (typeof sign === 'number' ? sign : sign.charCodeAt(0)))
  return new Uint8Array([
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, vector([[0x60, 3, I32, I32, I32, 0]])),
    ...section(3, vector([[0], [0], [0], [0]])),
    ...section(5, vector([[0, 16]])),
    ...section(7, vector([[...name('mul'), 0, 0], [...name('square'), 0, 1], [...name('add'), 0, 2], [...name('sub'), 0, 3], [...name('memory'), 2, 0]])),
    ...section(10, vector([body(31, multiplication()), body(21, squaring()), body(0, each(ADD)), body(0, each(SUB))])),
  ])
}
