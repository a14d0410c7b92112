/**
 * Arithmetic modulo 2^255 − 19 in WebAssembly: ten limbs of 26 and 25 bits in turn, each in a 32-bit
 * integer (the shape that ref10 made known), and sums of points of edwards25519 over it. The module is
 * put together here, instruction by instruction, so that there is no binary to trust;
 * `ristretto.test.ts` compares all that is built on it with noble-curves. Addresses are offsets in the
 * module's memory.
 */

const LIMBS = 10
/** Of one element, in bytes. */
export const SIZE = LIMBS * 4
export const P = 2n ** 255n - 19n
const BITS = [26, 25, 26, 25, 26, 25, 26, 25, 26, 25]
const AT = [0, 26, 51, 77, 102, 128, 153, 179, 204, 230]
const PAGE = 65536
/** Where sums of points keep what they need meanwhile. */
const SUMS = 64
const IN_SUMS = 9

type Sum = (out: number, p: number, q: number) => void

interface Code {
  mul: (out: number, a: number, b: number) => void
  /** Squares n times. */
  square: (out: number, a: number, n: number) => void
  add: (out: number, a: number, b: number) => void
  sub: (out: number, a: number, b: number) => void
  addPoints: Sum
  addReady: Sum
  addReadyOne: Sum
  subReady: Sum
  subReadyOne: Sum
  memory: WebAssembly.Memory
}

export class Field {
  readonly mul: Code['mul']
  readonly square: Code['square']
  readonly add: Code['add']
  readonly sub: Code['sub']
  /** out = p + q, all X, Y, Z, T: section 4.5 of RFC 8032 in extended coordinates (add-2008-hwcd-3). */
  readonly addPoints: Sum
  /** out = p + q or p − q, where q is Y + X, Y − X, 2Z, 2dT; in `…One` its Z is 1. */
  readonly addReady: Sum
  readonly addReadyOne: Sum
  readonly subReady: Sum
  readonly subReadyOne: Sum
  private readonly memory: WebAssembly.Memory
  private words: Int32Array
  private end = SUMS + IN_SUMS * SIZE
  private readonly limbs = new Int32Array(LIMBS)
  private readonly others = new Int32Array(LIMBS)

  /** Throws where the browser runs no WebAssembly. */
  constructor() {
    const code = new WebAssembly.Instance(new WebAssembly.Module(assembled())).exports as unknown as Code
    this.mul = code.mul
    this.square = code.square
    this.add = code.add
    this.sub = code.sub
    this.addPoints = code.addPoints
    this.addReady = code.addReady
    this.addReadyOne = code.addReadyOne
    this.subReady = code.subReady
    this.subReadyOne = code.subReadyOne
    this.memory = code.memory
    this.words = new Int32Array(this.memory.buffer)
    this.set(D2_AT, D2)
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
      this.words[out / 4 + i] = value
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
    let q = (19 * words[first + 9]! + (1 << 24)) >> 25
    for (let i = 0; i < LIMBS; i += 2) q = (words[first + i + 1]! + ((words[first + i]! + q) >> 26)) >> 25
    let carry = 19 * q
    for (let i = 0; i < LIMBS; i += 2) {
      const even = words[first + i]! + carry
      h[i] = even & 0x3ffffff
      const next = words[first + i + 1]! + (even >> 26)
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
// To 64 bits, and of them.
const LOAD = [0x34, 2]
const STORE = [0x3e, 2]
const LOAD_32 = [0x28, 2]
const STORE_32 = [0x36, 2]
const ADD_32 = 0x6a
const SUB_32 = 0x6b
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
const constant = (value: number): number[] => [0x42, ...signed(value)]

function signed(value: number): number[] {
  const found: number[] = []
  for (let left = value; ; ) {
    const low = left & 127
    left >>= 7
    if ((left === 0 && !(low & 64)) || (left === -1 && low & 64)) return [...found, low]
    found.push(low | 128)
  }
}

const get = (local: number): number[] => [GET, ...unsigned(local)]
const load = (pointer: number, limb: number): number[] => [...get(pointer), ...LOAD, ...unsigned(4 * limb)]
const store = (pointer: number, limb: number, value: number[]): number[] => [...get(pointer), ...value, ...STORE, ...unsigned(4 * limb)]
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

const each = (operation: number): number[] =>
  all((i) => [...get(0), ...[1, 2].flatMap((pointer) => [...get(pointer), ...LOAD_32, ...unsigned(4 * i)]), operation, ...STORE_32, ...unsigned(4 * i)])

// The functions of the module, in their order.
const [MULTIPLY, , PLUS, MINUS] = [0, 1, 2, 3]

/** An address: that of an argument and so many elements on, or a fixed one. */
type Place = number[]
const after = (argument: number, elements: number): Place => [...get(argument), 0x41, ...signed(elements * SIZE), ADD_32]
const fixed = (at: number): Place => [0x41, ...signed(at)]
const call = (which: number, out: Place, a: Place, b: Place): number[] => [...out, ...a, ...b, 0x10, which]
const [A, B, C, D, E, F, G, H] = Array.from({ length: 8 }, (_, i) => fixed(SUMS + i * SIZE)) as [Place, Place, Place, Place, Place, Place, Place, Place]
const D2_AT = SUMS + 8 * SIZE
const D2 = 16295367250680780974490674513165176452449235426866156013048779062215315747161n

/** The second half of each sum of points. */
const joined = (f: Place, g: Place): number[] => [
  ...call(MINUS, E, B, A), ...call(MINUS, f, D, C), ...call(PLUS, g, D, C), ...call(PLUS, H, B, A),
  ...call(MULTIPLY, after(0, 0), E, F), ...call(MULTIPLY, after(0, 1), G, H), ...call(MULTIPLY, after(0, 3), E, H), ...call(MULTIPLY, after(0, 2), F, G),
]

function pointSum(): number[] {
  return [
    ...call(MINUS, A, after(1, 1), after(1, 0)), ...call(MINUS, E, after(2, 1), after(2, 0)), ...call(MULTIPLY, A, A, E),
    ...call(PLUS, B, after(1, 1), after(1, 0)), ...call(PLUS, E, after(2, 1), after(2, 0)), ...call(MULTIPLY, B, B, E),
    ...call(MULTIPLY, C, after(1, 3), after(2, 3)), ...call(MULTIPLY, C, C, fixed(D2_AT)),
    ...call(MULTIPLY, D, after(1, 2), after(2, 2)), ...call(PLUS, D, D, D),
    ...joined(F, G),
  ]
}

/** −(Y + X, Y − X, 2Z, 2dT) = (Y − X, Y + X, 2Z, −2dT): what is taken away changes places. */
function readySum(isAdded: boolean, isOne: boolean): number[] {
  const [sum, difference] = isAdded ? [0, 1] : [1, 0]
  return [
    ...call(MINUS, A, after(1, 1), after(1, 0)), ...call(MULTIPLY, A, A, after(2, difference)),
    ...call(PLUS, B, after(1, 1), after(1, 0)), ...call(MULTIPLY, B, B, after(2, sum)),
    ...call(MULTIPLY, C, after(1, 3), after(2, 3)),
    ...(isOne ? call(PLUS, D, after(1, 2), after(1, 2)) : call(MULTIPLY, D, after(1, 2), after(2, 2))),
    ...(isAdded ? joined(F, G) : joined(G, F)),
  ]
}

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
    ...section(3, vector(Array.from({ length: 9 }, () => [0]))),
    ...section(5, vector([[0, 16]])),
    ...section(7, vector([[...name('mul'), 0, 0], [...name('square'), 0, 1], [...name('add'), 0, 2], [...name('sub'), 0, 3], [...name('addPoints'), 0, 4], [...name('addReady'), 0, 5], [...name('addReadyOne'), 0, 6], [...name('subReady'), 0, 7], [...name('subReadyOne'), 0, 8], [...name('memory'), 2, 0]])),
    ...section(10, vector([body(31, multiplication()), body(21, squaring()), body(0, each(ADD_32)), body(0, each(SUB_32)), body(0, pointSum()), body(0, readySum(true, false)), body(0, readySum(true, true)), body(0, readySum(false, false)), body(0, readySum(false, true))])),
  ])
}
