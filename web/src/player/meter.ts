/** What the line carries, from what came over it. Nothing of this leaves the device. */

/** Before the first measurement, where the browser tells nothing. */
const FIRST_BPS = 3_000_000
const FIRST_WAIT_MS = 100
/** Smaller pieces say more of the waiting than of the line. */
const LEAST_BYTES = 12_000
const LEAST_MS = 4
/** A busy page hears of bytes that much sooner or later: of the line that says nothing. */
const CLOCK_MS = 30
/** How fast the two averages follow, by the bytes that came; the lower one counts. */
const QUICK_BYTES = 150_000
const SLOW_BYTES = 900_000
const SHARE_OF_WAIT = 0.3
/** That a line varies is believed at once, and forgotten slowly. */
const SHARE_OF_WORSE = 0.5
const SHARE_OF_BETTER = 0.06

export class Meter {
  private quick: number | null = null
  private slow: number | null = null
  private wait: number | null = null
  private deviation = 0
  private underWay = 0
  private since = 0
  private bytes = 0

  /** What the browser guesses, in Mbit/s: where we begin. */
  constructor(guessMbps?: number) {
    if (guessMbps) this.quick = this.slow = guessMbps * 1_000_000 * 0.8
  }

  /** The first bytes of an answer are here, `waitedMs` after it was asked for. */
  began(nowMs: number, waitedMs: number): void {
    this.wait = this.wait === null ? waitedMs : this.wait + (waitedMs - this.wait) * SHARE_OF_WAIT
    if (this.underWay === 0) {
      this.since = nowMs
      this.bytes = 0
    }
    this.underWay += 1
  }

  /** Bytes of any answer; several at a time share the line. */
  came(bytes: number): void {
    this.bytes += bytes
  }

  /** An answer has ended, or was broken off. */
  ended(nowMs: number): void {
    this.underWay -= 1
    const tookMs = nowMs - this.since
    if (this.bytes >= LEAST_BYTES && tookMs >= LEAST_MS) {
      const bps = (this.bytes * 8000) / tookMs
      const expectedMs = (this.bytes * 8000) / (this.slow ?? bps)
      const off = Math.max(0, Math.abs(tookMs - expectedMs) - CLOCK_MS) / Math.max(tookMs, expectedMs)
      this.deviation += (off - this.deviation) * (off > this.deviation ? SHARE_OF_WORSE : SHARE_OF_BETTER)
      this.quick = follow(this.quick, bps, this.bytes / QUICK_BYTES)
      this.slow = follow(this.slow, bps, this.bytes / SLOW_BYTES)
    }
    this.since = nowMs
    this.bytes = 0
  }

  /** A picture stopped for want of bytes: believe less. */
  stalled(): void {
    this.quick = (this.quick ?? FIRST_BPS) * 0.7
    this.slow = (this.slow ?? FIRST_BPS) * 0.85
    this.deviation = Math.max(this.deviation, 0.5)
  }

  get bps(): number {
    return Math.min(this.quick ?? FIRST_BPS, this.slow ?? FIRST_BPS)
  }

  get waitMs(): number {
    return this.wait ?? FIRST_WAIT_MS
  }

  /** How much the line varies: 0 not at all, 1 between nothing and all. */
  get varies(): number {
    return this.deviation
  }

  /** Whether anything has been measured or told yet. */
  get knows(): boolean {
    return this.quick !== null
  }
}

function follow(before: number | null, now: number, weight: number): number {
  return before === null ? now : before + (now - before) * (1 - Math.exp(-weight))
}
