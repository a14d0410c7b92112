/** Turns a wheel or trackpad into steps: one flick, one clip. */
const ENOUGH_PX = 40
const QUIET_MS = 160
const LEAST_GAP_MS = 420

export class Wheel {
  private sum = 0
  private last = -Infinity
  private stepped = -Infinity
  private strength = 0

  /** -1, 0 or 1 for a movement of `deltaY` pixels at `time` ms. */
  step(deltaY: number, time: number): -1 | 0 | 1 {
    const quiet = time - this.last > QUIET_MS
    // The tail of a trackpad's flick only weakens; a new flick is stronger again.
    const renewed = Math.abs(deltaY) > this.strength * 1.6 + 4
    this.last = time
    this.strength = Math.abs(deltaY)
    if (quiet) this.sum = 0
    if (time - this.stepped < LEAST_GAP_MS) return 0
    if (this.spent && !quiet && !renewed) return 0
    this.spent = false
    this.sum += deltaY
    if (Math.abs(this.sum) < ENOUGH_PX) return 0
    const way = this.sum > 0 ? 1 : -1
    this.sum = 0
    this.spent = true
    this.stepped = time
    return way
  }

  private spent = false
}
