/**
 * Points of edwards25519 over `field.ts`: sums, and multiples of many points at once. What makes a group of
 * prime order of them is in `ristretto.ts`.
 */
import { Field, P, SIZE } from './field.ts'

/** Of a point in memory: X, Y, Z, T. */
const POINT = 4 * SIZE
const WINDOW = 8
const WINDOWS = 32
const HALF = 2 ** (WINDOW - 1)

const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n
const SQRT_M1 = 19681161376707505956807079304988542015446066515923890162744021073123829784752n
const SQRT_AD_MINUS_ONE = 25063068953384623474111414158702152701244531502492656460079210482610430750235n
const INVSQRT_A_MINUS_D = 54469307008909316920995813868745141605393597292927456921205312896311721017578n
const ONE_MINUS_D_SQ = 1159843021668779879193775521855586647937357759715417654439879720876111806838n
const D_MINUS_ONE_SQ = 40440834346308536858101042469323190826248399146238708352240133220865137265952n
const BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202n
const BASE_Y = 46316835694926478169428394003475163141307993866256225615783033603165251855960n

/**
 * The digits of a scalar (32 bytes, little-endian) to the base 256, each from −128 to 127. Scalars are below 2^253, so nothing is carried
 * out of the last.
 */
function signedDigits(out: Int16Array, scalar: Uint8Array): void {
  let carry = 0
  for (let w = 0; w < WINDOWS; w++) {
    const digit = scalar[w]! + carry
    carry = digit >= HALF ? 1 : 0
    out[w] = digit - carry * 2 * HALF
  }
}

/** Where a point is. */
export type Point = number
/** Multiples of one point, for many scalars. */
export type Table = number

export class Points {
  protected readonly f = new Field()
  protected readonly c: Record<'one' | 'zero' | 'd' | 'd2' | 'sqrtM1' | 'sqrtAd' | 'invsqrtAd' | 'oneMinusDSq' | 'dMinusOneSq', number>
  protected readonly t: number[]
  private readonly digits = new Int16Array(WINDOWS)
  readonly base: Point

  /** Throws where the browser runs no WebAssembly. */
  constructor() {
    const f = this.f
    const known = (value: bigint): number => {
      const at = f.room(1)
      f.set(at, value)
      return at
    }
    this.c = {
      one: known(1n), zero: known(0n), d: known(D), d2: known((2n * D) % P), sqrtM1: known(SQRT_M1), sqrtAd: known(SQRT_AD_MINUS_ONE),
      invsqrtAd: known(INVSQRT_A_MINUS_D), oneMinusDSq: known(ONE_MINUS_D_SQ), dMinusOneSq: known(D_MINUS_ONE_SQ),
    }
    this.t = Array.from({ length: 24 }, () => f.room(1))
    this.base = f.room(4)
    f.set(this.base, BASE_X)
    f.set(this.base + SIZE, BASE_Y)
    f.set(this.base + 2 * SIZE, 1n)
    f.mul(this.base + 3 * SIZE, this.base, this.base + SIZE)
  }

  /** Room for so many points; `release` takes it back. */
  room(points: number): Point {
    return this.f.room(4 * points)
  }

  nth(first: Point, index: number): Point {
    return first + index * POINT
  }

  mark(): number {
    return this.f.mark()
  }

  release(mark: number): void {
    this.f.release(mark)
  }

  private zero(out: Point): void {
    const { f, c } = this
    f.copy(out, c.zero)
    f.copy(out + SIZE, c.one)
    f.copy(out + 2 * SIZE, c.one)
    f.copy(out + 3 * SIZE, c.zero)
  }

  add(out: Point, p: Point, q: Point): void {
    this.f.addPoints(out, p, q)
  }

  /**
   * A point ready to be added many times: Y + X, Y − X, 2Z, 2dT. The first three are not carried: a sum of two products has limbs of at
   * most 27 bits, and ten products of such limbs, by 38 at most, stay below 2^63.
   */
  private ready(out: Point, p: Point): void {
    const { f, c } = this
    f.add(out, p + SIZE, p)
    f.sub(out + SIZE, p + SIZE, p)
    f.add(out + 2 * SIZE, p + 2 * SIZE, p + 2 * SIZE)
    f.mul(out + 3 * SIZE, p + 3 * SIZE, c.d2)
  }

  double(out: Point, p: Point): void {
    this.add(out, p, p)
  }

  negate(out: Point, p: Point): void {
    const { f, c, t } = this
    if (out !== p) f.copy(out, p, 4)
    for (const part of [0, 3 * SIZE]) {
      f.sub(t[0]!, c.zero, p + part)
      f.mul(out + part, t[0]!, c.one)
    }
  }

  /** Multiples of a point, ready: table[w][d − 1] = d · 2^(8w) · point, for digits until 128. */
  table(point: Point): Table {
    const { f } = this
    const table = this.room(WINDOWS * HALF)
    const mark = this.mark()
    const [step, one, sum] = [this.room(1), this.room(1), this.room(1)]
    f.copy(step, point, 4)
    for (let w = 0; w < WINDOWS; w++) {
      this.ready(one, step)
      this.zero(sum)
      for (let d = 0; d < HALF; d++) {
        f.addReady(sum, sum, one)
        this.ready(this.nth(table, w * HALF + d), sum)
      }
      this.double(step, sum)
    }
    this.release(mark)
    return table
  }

  /** out = scalar · point of the table; the scalar is 32 bytes, little-endian. */
  multiply(out: Point, table: Table, scalar: Uint8Array): void {
    const { f, digits } = this
    this.zero(out)
    signedDigits(digits, scalar)
    for (let w = 0; w < WINDOWS; w++) {
      const digit = digits[w]!
      if (digit > 0) f.addReady(out, out, this.nth(table, w * HALF + digit - 1))
      else if (digit < 0) f.subReady(out, out, this.nth(table, w * HALF - digit - 1))
    }
  }

  /** out = the sum of scalars[i] · points[i] (Pippenger, with signed digits of one byte). */
  combine(out: Point, points: Point[], scalars: Uint8Array[]): void {
    const { f, c } = this
    const mark = this.mark()
    const buckets = this.room(HALF + 1)
    const [run, sum, total] = [this.room(1), this.room(1), this.room(1)]
    const ready = this.room(points.length)
    const isOne = points.map((point, i) => {
      this.ready(this.nth(ready, i), point)
      return f.same(point + 2 * SIZE, c.one)
    })
    const digits = new Int16Array(points.length * WINDOWS)
    scalars.forEach((scalar, i) => signedDigits(digits.subarray(i * WINDOWS, (i + 1) * WINDOWS), scalar))
    this.zero(total)
    for (let w = WINDOWS - 1; w >= 0; w--) {
      for (let i = 0; i < WINDOW; i++) this.double(total, total)
      for (let d = 1; d <= HALF; d++) this.zero(this.nth(buckets, d))
      for (let i = 0; i < points.length; i++) {
        const digit = digits[i * WINDOWS + w]!
        const point = this.nth(ready, i)
        const bucket = this.nth(buckets, Math.abs(digit))
        if (digit > 0) (isOne[i] ? f.addReadyOne : f.addReady)(bucket, bucket, point)
        else if (digit < 0) (isOne[i] ? f.subReadyOne : f.subReady)(bucket, bucket, point)
      }
      this.zero(run)
      this.zero(sum)
      for (let d = HALF; d > 0; d--) {
        this.add(run, run, this.nth(buckets, d))
        this.add(sum, sum, run)
      }
      this.add(total, total, sum)
    }
    f.copy(out, total, 4)
    this.release(mark)
  }
}
