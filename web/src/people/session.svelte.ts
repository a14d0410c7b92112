/** Who is here: the signed-in person, or nobody. */
import { api, ApiError, onSignedOut } from '../app/api/client.ts'
import type { Me } from '../app/api/shapes.ts'
import { preferred, speak } from '../app/i18n/index.svelte.ts'
import { remember } from '../app/memory.ts'
import { go } from '../app/router.svelte.ts'

class Session {
  me = $state<Me | null>(null)
  /** False until we know whether somebody is signed in. */
  known = $state(false)
  /** Why the cell could not be asked who is here; nobody is sent to sign in for that. */
  problem = $state<unknown>(null)
  /** Counts up when another person (or nobody) is here: what was loaded for the last one is stale. */
  turn = $state(0)
  /** Words of the sheet that asks a visitor to sign in; null while it is closed. */
  asking = $state<'like' | 'follow' | 'comment' | 'keep' | 'repost' | null>(null)

  async load(): Promise<void> {
    try {
      this.set(await api.get<Me>('/api/me'))
      this.problem = null
    } catch (problem) {
      // Offline we keep whoever was here; only a clear "nobody" signs out.
      const nobody = problem instanceof ApiError && problem.status === 401
      this.problem = nobody ? null : problem
      if (nobody) this.set(null)
    }
    this.known = true
  }

  set(me: Me | null): void {
    const before = this.me?.id
    this.me = me
    // The first answer is no change: what was loaded before it was loaded with the same cookie.
    if (this.known && before !== me?.id) this.turn += 1
    this.known = true
    if (me) {
      remember('locale', me.locale)
      void speak(preferred(me.locale))
    }
  }

  /** Nobody is signed in, for certain. */
  get visitor(): boolean {
    return this.known && !this.me && this.problem === null
  }

  async signOut(): Promise<void> {
    await api.delete('/api/sessions/current')
    this.set(null)
    go('/')
  }

  /** True when signed in; else asks the visitor to sign in and says no. */
  allows(act: 'like' | 'follow' | 'comment' | 'keep' | 'repost'): boolean {
    if (this.me) return true
    this.asking = act
    return false
  }
}

export const session = new Session()

onSignedOut(() => {
  if (session.me) session.set(null)
})
