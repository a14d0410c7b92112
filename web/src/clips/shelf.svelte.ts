/** Every clip this page has met, once: a like in the player is a like in the grid. */
import { api } from '../app/api/client.ts'
import type { Clip } from '../app/api/shapes.ts'

class Shelf {
  private readonly clips = new Map<string, Clip>()

  /** The one shared, reactive object for this clip, brought up to date. */
  put(clip: Clip): Clip {
    const kept = this.clips.get(clip.id)
    if (kept) {
      Object.assign(kept, clip)
      return kept
    }
    const fresh = $state(clip)
    this.clips.set(clip.id, fresh)
    return fresh
  }

  get(id: string): Clip | undefined {
    return this.clips.get(id)
  }

  change(id: string, news: Partial<Clip>): void {
    const kept = this.clips.get(id)
    if (kept) Object.assign(kept, news)
  }

  /** Asks the cell again, for instance when a signed media address has run out. */
  async refresh(id: string): Promise<Clip | undefined> {
    try {
      return this.put(await api.get<Clip>(`/api/clips/${id}`))
    } catch {
      return this.clips.get(id)
    }
  }

  refreshUnfinished(): void {
    for (const clip of this.clips.values()) if (clip.state === 'processing') void this.refresh(clip.id)
  }

  forget(id: string): void {
    this.clips.delete(id)
  }

  /** After signing in or out: what the cell said about "you" no longer holds. */
  empty(): void {
    this.clips.clear()
  }

  async like(clip: Clip, liked: boolean): Promise<void> {
    if (!clip.viewer || clip.viewer.liked === liked) return
    const before = clip.likes
    clip.viewer.liked = liked
    clip.likes = Math.max(0, before + (liked ? 1 : -1))
    try {
      const path = `/api/clips/${clip.id}/like`
      const told = liked ? await api.put<{ likes: number }>(path) : await api.delete<{ likes: number } | undefined>(path)
      if (told) clip.likes = told.likes
    } catch (problem) {
      clip.viewer.liked = !liked
      clip.likes = before
      throw problem
    }
  }
}

export const shelf = new Shelf()
