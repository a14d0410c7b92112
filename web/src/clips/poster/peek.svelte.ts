/** How long a pointer rests on a clip, or a finger, before it moves. */
export const REST_MS = 180
export const HOLD_MS = 350

/** Which clip of a grid moves: the one that the pointer rests on, or that a finger holds. */
export class Peek {
  id: string | null = $state(null)
  /** A finger was held on the clip, so that letting go does not open it. */
  held = false
  #timer: ReturnType<typeof setTimeout> | undefined

  over(id: string, kind: string) {
    this.held = false
    if (this.#spares()) return
    this.#wait(id, kind === 'mouse' ? REST_MS : HOLD_MS, kind !== 'mouse')
  }

  away() {
    clearTimeout(this.#timer)
    this.id = null
    // The click of the finger that is lifted now comes at once; a later one is another.
    if (this.held) this.#timer = setTimeout(() => (this.held = false), HOLD_MS)
  }

  #wait(id: string, ms: number, isHeld: boolean) {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.id = id
      this.held = isHeld
    }, ms)
  }

  #spares(): boolean {
    const connection = (navigator as { connection?: { saveData?: boolean } }).connection
    return connection?.saveData === true || matchMedia('(prefers-reduced-motion: reduce)').matches
  }
}
