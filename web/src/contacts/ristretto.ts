/**
 * ristretto255 (RFC 9496) over `field.ts`, for many points at once: what noble-curves does with
 * BigInt, some ten times as fast. Formulas and names are the RFC's. It runs on the person's own
 * device, on batches; it does not try to take the same time for every secret.
 */
import { SIZE } from './field.ts'
import { type Point, Points, type Table } from './points.ts'

export type { Point, Table }

/** What `voprf.ts` needs of the group; `slow.ts` has the same for browsers without WebAssembly. */
export interface Group {
  readonly base: Point
  room(points: number): Point
  nth(first: Point, index: number): Point
  mark(): number
  release(mark: number): void
  add(out: Point, p: Point, q: Point): void
  negate(out: Point, p: Point): void
  table(point: Point): Table
  multiply(out: Point, table: Table, scalar: Uint8Array): void
  combine(out: Point, points: Point[], scalars: Uint8Array[]): void
  decode(out: Point, bytes: Uint8Array, offset?: number): boolean
  encode(point: Point): Uint8Array
  map(out: Point, wide: Uint8Array): void
}

export class Ristretto extends Points implements Group {
  /** Section 4.3.1. False for bytes that are no point in its one form. */
  decode(out: Point, bytes: Uint8Array, offset = 0): boolean {
    const { f, t, c } = this
    const [s, ss, u1, u2, u2Sqr, v, inv, denX, x] = t.slice(8) as [number, number, number, number, number, number, number, number, number]
    f.read(s, bytes, offset)
    f.mul(s, s, c.one)
    const told = bytes.subarray(offset, offset + 32)
    if (told.length !== 32 || told[0]! & 1 || !f.write(s).every((byte, i) => byte === told[i])) return false
    f.square(ss, s, 1)
    f.sub(u1, c.one, ss)
    f.add(u2, c.one, ss)
    f.square(u2Sqr, u2, 1)
    f.square(v, u1, 1)
    f.mul(v, v, c.d)
    f.add(v, v, u2Sqr)
    f.sub(v, c.zero, v)
    f.mul(v, v, c.one)
    f.mul(inv, v, u2Sqr)
    const isSquare = this.ratio(inv, c.one, inv)
    f.mul(denX, inv, u2)
    f.mul(inv, inv, denX)
    f.mul(inv, inv, v)
    f.add(x, s, s)
    f.mul(out, x, denX)
    this.abs(out)
    f.mul(out + SIZE, u1, inv)
    f.copy(out + 2 * SIZE, c.one)
    f.mul(out + 3 * SIZE, out, out + SIZE)
    return isSquare && !f.odd(out + 3 * SIZE) && !f.same(out + SIZE, c.zero)
  }

  /** Section 4.3.2. */
  encode(point: Point): Uint8Array {
    const { f, t, c } = this
    const [u1, u2, inv, den1, den2, zInv, x, y, s] = t.slice(8) as [number, number, number, number, number, number, number, number, number]
    const [x0, y0, z0, t0] = [point, point + SIZE, point + 2 * SIZE, point + 3 * SIZE]
    f.add(u1, z0, y0)
    f.sub(u2, z0, y0)
    f.mul(u1, u1, u2)
    f.mul(u2, x0, y0)
    f.square(inv, u2, 1)
    f.mul(inv, inv, u1)
    this.ratio(inv, c.one, inv)
    f.mul(den1, inv, u1)
    f.mul(den2, inv, u2)
    f.mul(zInv, den1, den2)
    f.mul(zInv, zInv, t0)
    f.mul(s, t0, zInv)
    if (f.odd(s)) {
      f.mul(x, y0, c.sqrtM1)
      f.mul(y, x0, c.sqrtM1)
      f.mul(den2, den1, c.invsqrtAd)
    } else {
      f.copy(x, x0)
      f.copy(y, y0)
    }
    f.mul(s, x, zInv)
    if (f.odd(s)) f.add(s, z0, y)
    else f.sub(s, z0, y)
    f.mul(s, den2, s)
    this.abs(s)
    return f.write(s)
  }

  /** Section 4.3.4: a point of 64 uniform bytes. */
  map(out: Point, wide: Uint8Array): void {
    const mark = this.mark()
    const other = this.room(1)
    this.elligator(out, wide, 0)
    this.elligator(other, wide, 32)
    this.add(out, out, other)
    this.release(mark)
  }

  private elligator(out: Point, bytes: Uint8Array, offset: number): void {
    const { f, t, c } = this
    const [tt, r, u, v, s, cc, n, w0, w1, w2, w3] = t.slice(8) as [number, number, number, number, number, number, number, number, number, number, number]
    f.read(tt, bytes, offset)
    f.square(r, tt, 1)
    f.mul(r, r, c.sqrtM1)
    f.add(u, r, c.one)
    f.mul(u, u, c.oneMinusDSq)
    f.mul(v, r, c.d)
    f.add(v, v, c.one)
    f.sub(v, c.zero, v)
    f.add(w0, r, c.d)
    f.mul(v, v, w0)
    const isSquare = this.ratio(s, u, v)
    if (!isSquare) {
      f.mul(s, s, tt)
      this.abs(s)
      f.sub(s, c.zero, s)
      f.mul(s, s, c.one)
      f.copy(cc, r)
    } else {
      f.sub(cc, c.zero, c.one)
    }
    f.sub(n, r, c.one)
    f.mul(n, n, cc)
    f.mul(n, n, c.dMinusOneSq)
    f.sub(n, n, v)
    f.add(w0, s, s)
    f.mul(w0, w0, v)
    f.mul(w1, n, c.sqrtAd)
    f.square(w3, s, 1)
    f.sub(w2, c.one, w3)
    f.add(w3, c.one, w3)
    f.mul(out, w0, w3)
    f.mul(out + SIZE, w2, w1)
    f.mul(out + 2 * SIZE, w1, w3)
    f.mul(out + 3 * SIZE, w0, w2)
  }

  /** SQRT_RATIO_M1 (section 4.2): out = |√(u/v)|, or of i·u/v; whether u/v was a square. `out` may be `v`. */
  private ratio(out: number, u: number, v: number): boolean {
    const { f, c } = this
    const mark = this.mark()
    const [v3, v7, r, check, negU] = [f.room(1), f.room(1), f.room(1), f.room(1), f.room(1)]
    f.square(v3, v, 1)
    f.mul(v3, v3, v)
    f.square(v7, v3, 1)
    f.mul(v7, v7, v)
    f.mul(r, u, v7)
    this.power(r, r)
    f.mul(r, r, v3)
    f.mul(r, r, u)
    f.square(check, r, 1)
    f.mul(check, check, v)
    f.mul(v3, u, c.one)
    f.sub(negU, c.zero, v3)
    f.mul(negU, negU, c.one)
    f.mul(v7, negU, c.sqrtM1)
    const isRight = f.same(check, v3)
    const isFlipped = !isRight && f.same(check, negU)
    const isFlippedI = !isRight && !isFlipped && f.same(check, v7)
    if (isFlipped || isFlippedI) f.mul(r, r, c.sqrtM1)
    this.abs(r)
    f.copy(out, r)
    this.release(mark)
    return isRight || isFlipped
  }

  /** x^((p − 5) / 8) = x^(2^252 − 3). */
  private power(out: number, x: number): void {
    const { f } = this
    const mark = this.mark()
    const [a, b, z] = [f.room(1), f.room(1), f.room(1)]
    f.copy(z, x)
    // b = x^(2^n − 1), doubling n: 1, 2, 4, 5, 10, 20, 40, 50, 100, 200, 250.
    f.copy(b, z)
    const grow = (n: number): void => {
      f.square(a, b, n)
      f.mul(b, a, b)
    }
    f.square(a, b, 1)
    f.mul(b, a, b) // 2
    f.square(a, b, 2)
    f.mul(b, a, b) // 4
    f.square(a, b, 1)
    f.mul(b, a, z) // 5
    const five = f.room(1)
    f.copy(five, b)
    grow(5) // 10
    const ten = f.room(1)
    f.copy(ten, b)
    grow(10) // 20
    grow(20) // 40
    f.square(a, b, 10)
    f.mul(b, a, ten) // 50
    const fifty = f.room(1)
    f.copy(fifty, b)
    grow(50) // 100
    grow(100) // 200
    f.square(a, b, 50)
    f.mul(b, a, fifty) // 250
    f.square(a, b, 2)
    f.mul(out, a, z)
    this.release(mark)
  }

  private abs(at: number): void {
    const { f, c } = this
    if (!f.odd(at)) return
    f.sub(at, c.zero, at)
    f.mul(at, at, c.one)
  }
}
