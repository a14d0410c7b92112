/** The group for browsers that run no WebAssembly: noble-curves, some ten times as slow. */
import { ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js'
import type { Group, Point, Table } from './ristretto.ts'

const Noble = ristretto255.Point
const scalarOf = (bytes: Uint8Array): bigint => Noble.Fn.fromBytes(bytes)

export class Slow implements Group {
  private readonly held: (typeof Noble.BASE)[] = [Noble.BASE]
  readonly base = 0

  room(points: number): Point {
    const at = this.held.length
    for (let i = 0; i < points; i++) this.held.push(Noble.ZERO)
    return at
  }

  nth(first: Point, index: number): Point {
    return first + index
  }

  mark(): number {
    return this.held.length
  }

  release(mark: number): void {
    this.held.length = mark
  }

  add(out: Point, p: Point, q: Point): void {
    this.held[out] = this.held[p]!.add(this.held[q]!)
  }

  negate(out: Point, p: Point): void {
    this.held[out] = this.held[p]!.negate()
  }

  table(point: Point): Table {
    return point
  }

  multiply(out: Point, table: Table, scalar: Uint8Array): void {
    this.held[out] = this.held[table]!.multiplyUnsafe(scalarOf(scalar))
  }

  combine(out: Point, points: Point[], scalars: Uint8Array[]): void {
    this.held[out] = points.reduce((sum, point, i) => sum.add(this.held[point]!.multiplyUnsafe(scalarOf(scalars[i]!))), Noble.ZERO)
  }

  decode(out: Point, bytes: Uint8Array, offset = 0): boolean {
    try {
      this.held[out] = Noble.fromBytes(bytes.slice(offset, offset + 32))
      return !this.held[out]!.equals(Noble.ZERO)
    } catch {
      return false
    }
  }

  encode(point: Point): Uint8Array {
    return this.held[point]!.toBytes()
  }

  map(out: Point, wide: Uint8Array): void {
    this.held[out] = ristretto255_hasher.deriveToCurve!(wide) as typeof Noble.BASE
  }
}
