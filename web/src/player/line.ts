/** What we believe the line carries: the browser's guess, lowered when a clip stalls. */

interface Connection {
  downlink?: number
  saveData?: boolean
  effectiveType?: string
}

const STALL_FACTOR = 0.6
const GROWTH = 1.25
/** The browser caps its guess at 10 Mbit/s for privacy: that value means "10 or more". */
const GUESS_CAP_MBPS = 10

export class Line {
  private learnedBps: number | null = null

  /** A clip of this bitrate stopped to wait for data. */
  stalled(bitrateBps: number): void {
    this.learnedBps = Math.min(this.learnedBps ?? Infinity, bitrateBps) * STALL_FACTOR
  }

  /** A clip played to its end without waiting: we may dare a little more. */
  flowed(): void {
    if (this.learnedBps !== null) this.learnedBps *= GROWTH
  }

  /** Bits per second, or null when nothing is known against the best picture. */
  bps(connection: Connection | undefined): number | null {
    const guess = connection?.downlink
    const told = guess === undefined || guess === 0 || guess >= GUESS_CAP_MBPS ? null : guess * 1_000_000
    if (told === null) return this.learnedBps
    return this.learnedBps === null ? told : Math.min(told, this.learnedBps)
  }
}

export function connection(): Connection | undefined {
  return (navigator as Navigator & { connection?: Connection }).connection
}
