/** One button's work: busy while it runs, and what went wrong. */
import { toasts } from '../../notify/toasts.svelte.ts'

export class Work {
  busy = $state(false)
  problem = $state<unknown>(null)

  /** True when it went well; then says `done`, if given. */
  async run(work: () => Promise<unknown>, done?: string): Promise<boolean> {
    this.busy = true
    this.problem = null
    try {
      await work()
      if (done) toasts.done(done)
      return true
    } catch (problem) {
      this.problem = problem
      return false
    } finally {
      this.busy = false
    }
  }
}
