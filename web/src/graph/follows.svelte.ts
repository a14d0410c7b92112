/** Who I follow, as far as this page knows; one truth for every button that shows the same person. */
import { SvelteMap } from 'svelte/reactivity'
import { api, personPath } from '../app/api/client.ts'
import type { Follows } from '../app/api/shapes.ts'

class FollowStates {
  private readonly known = new SvelteMap<string, Follows>()

  /** What we last learned about this person, else what the cell told with the clip or profile. */
  of(handle: string, told: Follows | undefined): Follows {
    return this.known.get(handle) ?? told ?? 'no'
  }

  learn(handle: string, state: Follows): void {
    this.known.set(handle, state)
  }

  forget(): void {
    this.known.clear()
  }

  async follow(handle: string, told: Follows | undefined): Promise<Follows> {
    return this.change(handle, told, 'yes', () => api.put<{ follows: Follows }>(personPath(handle, '/follow')))
  }

  async unfollow(handle: string, told: Follows | undefined): Promise<Follows> {
    return this.change(handle, told, 'no', () => api.delete<{ follows: Follows }>(personPath(handle, '/follow')))
  }

  /** Shows the wish at once, then what the cell answered; a refusal brings the old state back. */
  private async change(handle: string, told: Follows | undefined, wish: Follows, send: () => Promise<{ follows: Follows } | undefined>): Promise<Follows> {
    const before = this.of(handle, told)
    this.known.set(handle, wish)
    try {
      const state = (await send())?.follows ?? wish
      this.known.set(handle, state)
      return state
    } catch (problem) {
      this.known.set(handle, before)
      throw problem
    }
  }
}

export const follows = new FollowStates()
