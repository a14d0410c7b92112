/**
 * Points of edwards25519 over `field.ts`: sums, and multiples of many points at once. What makes a group of
 * prime order of them is in `ristretto.ts`.
 */
import { Field, P, SIZE } from './field.ts'

/** Of a point in memory: X, Y, Z, T. */
const POINT = 4 * SIZE
const WINDOW = 8
const WINDOWS = 32
const DIGITS = 2 ** WINDOW

const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n
const SQRT_M1 = 19681161376707505956807079304988542015446066515923890162744021073123829784752n
const SQRT_AD_MINUS_ONE = 25063068953384623474111414158702152701244531502492656460079210482610430750235n
const INVSQRT_A_MINUS_D = 54469307008909316920995813868745141605393597292927456921205312896311721017578n
const ONE_MINUS_D_SQ = 1159843021668779879193775521855586647937357759715417654439879720876111806838n
const D_MINUS_ONE_SQ = 40440834346308536858101042469323190826248399146238708352240133220865137265952n
const BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202n
const BASE_Y = 46316835694926478169428394003475163141307993866256225615783033603165251855960n

/** Where a point is. */
export type Point = number
/** Multiples of one point, for many scalars. */
export type Table = number

export class Points {
  protected readonly f = new Field()
  protected readonly c: Record<'one' | 'zero' | 'd' | 'd2' | 'sqrtM1' | 'sqrtAd' | 'invsqrtAd' | 'oneMinusDSq' | 'dMinusOneSq', number>
  protected readonly t: number[]
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

  /** Section 4.5 of RFC 8032 in extended coordinates (add-2008-hwcd-3). */
  add(out: Point, p: Point, q: Point): void {
    const { f, t, c } = this
    const [a, b, cc, d, e, ff, g, h] = t as [number, number, number, number, number, number, number, number]
    f.sub(a, p + SIZE, p)
    f.sub(e, q + SIZE, q)
    f.mul(a, a, e)
    f.add(b, p + SIZE, p)
    f.add(e, q + SIZE, q)
    f.mul(b, b, e)
    f.mul(cc, p + 3 * SIZE, q + 3 * SIZE)
    f.mul(cc, cc, c.d2)
    f.mul(d, p + 2 * SIZE, q + 2 * SIZE)
    f.add(d, d, d)
    f.sub(e, b, a)
    f.sub(ff, d, cc)
    f.add(g, d, cc)
    f.add(h, b, a)
    f.mul(out, e, ff)
    f.mul(out + SIZE, g, h)
    f.mul(out + 3 * SIZE, e, h)
    f.mul(out + 2 * SIZE, ff, g)
  }

  /** A point ready to be added many times: Y + X, Y − X, 2Z, 2dT. */
  private ready(out: Point, p: Point): void {
    const { f, t, c } = this
    f.add(t[0]!, p + SIZE, p)
    f.sub(t[1]!, p + SIZE, p)
    f.add(t[2]!, p + 2 * SIZE, p + 2 * SIZE)
    f.mul(out, t[0]!, c.one)
    f.mul(out + SIZE, t[1]!, c.one)
    f.mul(out + 2 * SIZE, t[2]!, c.one)
    f.mul(out + 3 * SIZE, p + 3 * SIZE, c.d2)
  }

  /** out = p + q, where q is ready, and its Z is 1 if so told. */
  private addReady(out: Point, p: Point, q: Point, isOne: boolean): void {
    const { f, t } = this
    const [a, b, cc, d, e, ff, g, h] = t as [number, number, number, number, number, number, number, number]
    f.sub(a, p + SIZE, p)
    f.mul(a, a, q + SIZE)
    f.add(b, p + SIZE, p)
    f.mul(b, b, q)
    f.mul(cc, p + 3 * SIZE, q + 3 * SIZE)
    if (isOne) f.add(d, p + 2 * SIZE, p + 2 * SIZE)
    else f.mul(d, p + 2 * SIZE, q + 2 * SIZE)
    f.sub(e, b, a)
    f.sub(ff, d, cc)
    f.add(g, d, cc)
    f.add(h, b, a)
    f.mul(out, e, ff)
    f.mul(out + SIZE, g, h)
    f.mul(out + 3 * SIZE, e, h)
    f.mul(out + 2 * SIZE, ff, g)
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

  /** Multiples of a point, ready: table[w][d] = d · 2^(8w) · point. */
  table(point: Point): Table {
    const { f } = this
    const table = this.room(WINDOWS * DIGITS)
    const mark = this.mark()
    const [step, one, sum] = [this.room(1), this.room(1), this.room(1)]
    f.copy(step, point, 4)
    for (let w = 0; w < WINDOWS; w++) {
      this.ready(one, step)
      this.zero(sum)
      for (let d = 1; d <= DIGITS; d++) {
        this.addReady(sum, sum, one, false)
        if (d < DIGITS) this.ready(this.nth(table, w * DIGITS + d), sum)
      }
      f.copy(step, sum, 4)
    }
    this.release(mark)
    return table
  }

  /** out = scalar · point of the table; the scalar is 32 bytes, little-endian. */
  multiply(out: Point, table: Table, scalar: Uint8Array): void {
    this.zero(out)
    for (let w = 0; w < WINDOWS; w++) if (scalar[w]) this.addReady(out, out, this.nth(table, w * DIGITS + scalar[w]!), false)
  }

  /** out = the sum of scalars[i] · points[i] (Pippenger, with signed digits of one byte). */
  combine(out: Point, points: Point[], scalars: Uint8Array[]): void {
    const { f, c } = this
    const mark = this.mark()
    const half = DIGITS / 2
    const buckets = this.room(half + 1)
    const [run, sum, total] = [this.room(1), this.room(1), this.room(1)]
    const ready = this.room(points.length)
    const isOne = points.map((point, i) => {
      this.ready(this.nth(ready, i), point)
      return f.same(point + 2 * SIZE, c.one)
    })
    // digits[w][i] in −128 … 127; the scalars are below 2^253, so nothing is carried out of the last.
    const digits = Array.from({ length: WINDOWS }, () => new Int16Array(points.length))
    scalars.forEach((scalar, i) => {
      let carry = 0
      for (let w = 0; w < WINDOWS; w++) {
        const digit = scalar[w]! + carry
        carry = digit >= half ? 1 : 0
        digits[w]![i] = digit - carry * DIGITS
      }
    })
    const flipped = this.room(1)
    this.zero(total)
    for (let w = WINDOWS - 1; w >= 0; w--) {
      for (let i = 0; i < WINDOW; i++) this.double(total, total)
      for (let d = 1; d <= half; d++) this.zero(this.nth(buckets, d))
      for (let i = 0; i < points.length; i++) {
        const digit = digits[w]![i]!
        let point = this.nth(ready, i)
        if (digit < 0) {
          // −(Y + X, Y − X, 2Z, 2dT) = (Y − X, Y + X, 2Z, −2dT).
          f.copy(flipped, point + SIZE)
          f.copy(flipped + SIZE, point)
          f.copy(flipped + 2 * SIZE, point + 2 * SIZE)
          f.sub(flipped + 3 * SIZE, c.zero, point + 3 * SIZE)
          point = flipped
        }
        const bucket = this.nth(buckets, Math.abs(digit))
        if (digit) this.addReady(bucket, bucket, point, isOne[i]!)
      }
      this.zero(run)
      this.zero(sum)
      for (let d = half; d > 0; d--) {
        this.add(run, run, this.nth(buckets, d))
        this.add(sum, sum, run)
      }
      this.add(total, total, sum)
    }
    f.copy(out, total, 4)
    this.release(mark)
  }
}
