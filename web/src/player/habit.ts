/** How soon this person swipes on, learnt from the clips of this visit. It is kept in memory only. */

/** Ends of the times that are told apart, in milliseconds. */
const EDGES = [500, 1000, 2000, 3000, 5000, 8000, 13_000, 21_000, 34_000]
/** Before anything is known: this share of those who are still here leaves in each span. */
const PRIOR_LEFT = [0.05, 0.1, 0.18, 0.18, 0.25, 0.3, 0.35, 0.4, 0.5]
/** As many clips as the prior counts for. */
const PRIOR_WEIGHT = 6
/** What was long ago counts less with every clip. */
const FADING = 0.97

export class Habit {
  private readonly left = EDGES.map(() => 0)
  private readonly reached = EDGES.map(() => 0)

  /** A clip was on screen for so long before the person swiped on. */
  swiped(afterMs: number): void {
    for (let at = 0; at < EDGES.length; at += 1) {
      this.left[at]! *= FADING
      this.reached[at]! *= FADING
    }
    for (let at = 0; at < EDGES.length; at += 1) {
      if (afterMs < (EDGES[at - 1] ?? 0)) return
      this.reached[at]! += 1
      if (afterMs < EDGES[at]!) {
        this.left[at]! += 1
        return
      }
    }
  }

  /** The chance that a clip that has been on screen for `shownMs` is left within `withinMs` from now. */
  leaves(shownMs: number, withinMs: number): number {
    let stays = 1
    for (let at = 0; at < EDGES.length; at += 1) {
      const from = Math.max(shownMs, EDGES[at - 1] ?? 0)
      const to = Math.min(shownMs + withinMs, EDGES[at]!)
      if (to > from) stays *= (1 - this.rate(at)) ** ((to - from) / (EDGES[at]! - (EDGES[at - 1] ?? 0)))
    }
    const beyond = shownMs + withinMs - Math.max(shownMs, EDGES[EDGES.length - 1]!)
    if (beyond > 0) stays *= 0.5 ** (beyond / 13_000)
    return 1 - stays
  }

  private rate(at: number): number {
    return (this.left[at]! + PRIOR_LEFT[at]! * PRIOR_WEIGHT) / (this.reached[at]! + PRIOR_WEIGHT)
  }
}
