/** A film that is being made smaller before it is sent. */
import type { Plan } from './shrink.ts'

/** An encoder that does nothing for so long does not come back. */
const STALLED_MS = 30_000

export class Smaller {
  share = $state(0)
  /** The smaller film; null where the film is to be sent as it is: it could not be made, was no smaller, or one did not want to wait. */
  readonly finished: Promise<File | null>
  readonly file: File
  readonly plan: Plan
  /** It goes smaller, or not at all. */
  readonly isNeeded: boolean
  private readonly over = new AbortController()

  constructor(file: File, plan: Plan, isNeeded = false) {
    this.file = file
    this.plan = plan
    this.isNeeded = isNeeded
    this.finished = this.make()
  }

  stop(): void {
    this.over.abort()
  }

  private async make(): Promise<File | null> {
    let stalled = setTimeout(() => this.stop(), STALLED_MS)
    const told = (share: number) => {
      this.share = share
      clearTimeout(stalled)
      stalled = setTimeout(() => this.stop(), STALLED_MS)
    }
    // An encoder that hangs does not hear that it is to stop.
    const stopped = new Promise<null>((resolve) => this.over.signal.addEventListener('abort', () => resolve(null)))
    try {
      const { shrunk } = await import('./shrinking.ts')
      return await Promise.race([shrunk(this.file, this.plan, told, this.over.signal), stopped])
    } catch {
      // Whatever it was: the cell converts the film itself.
      return null
    } finally {
      clearTimeout(stalled)
    }
  }
}
