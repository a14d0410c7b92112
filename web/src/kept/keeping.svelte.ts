/** Favourites and reposts, and which of their sheets is open. */
import { api } from '../app/api/client.ts'
import type { Clip } from '../app/api/shapes.ts'
import { t, tell } from '../app/i18n/index.svelte.ts'
import { shelf } from '../clips/shelf.svelte.ts'
import { toasts } from '../notify/toasts.svelte.ts'
import { session } from '../people/session.svelte.ts'

class Keeping {
  /** The clip whose collections are chosen. */
  saving = $state<Clip | null>(null)
  /** The clip that is passed on. */
  sharing = $state<Clip | null>(null)
  private shared: () => void = () => undefined

  /** Opens the sheet to share a clip; `done` is called each time that it went out. */
  share(clip: Clip, done: () => void = () => undefined): void {
    this.shared = done
    this.sharing = clip
  }

  wentOut(): void {
    this.shared()
  }

  close(): void {
    this.saving = this.sharing = null
  }

  lost(): void {
    this.close()
    toasts.problem({ sentence: t('app.page-lost'), next_step: t('app.page-lost.hint') })
  }

  /** Keeps a clip, and offers its collections; kept already, opens these. */
  async keep(clip: Clip): Promise<void> {
    if (!session.allows('keep')) return
    if (!clip.viewer) await shelf.refresh(clip.id)
    if (clip.viewer?.favourited || (await this.set(clip, true))) this.saving = clip
  }

  async letGo(clip: Clip): Promise<void> {
    if (await this.set(clip, false)) toasts.done(t('keep.let-go.done'))
  }

  private set(clip: Clip, is: boolean): Promise<boolean> {
    return this.flip(clip, 'favourite', is, (kept, count) => {
      if (clip.viewer) clip.viewer.favourited = kept
      clip.favourites = count
    })
  }

  async repost(clip: Clip, is: boolean): Promise<boolean> {
    if (!session.allows('repost')) return false
    const done = await this.flip(clip, 'repost', is, (passed, count) => {
      if (clip.viewer) clip.viewer.reposted = passed
      clip.reposts = count
    })
    if (done) toasts.done(t(is ? 'share.repost.done' : 'share.repost.back'))
    return done
  }

  /** At once on the screen, and back where the cell refuses. */
  private async flip(clip: Clip, what: 'favourite' | 'repost', is: boolean, show: (is: boolean, count: number) => void): Promise<boolean> {
    const before = what === 'favourite' ? clip.favourites : clip.reposts
    show(is, Math.max(0, before + (is ? 1 : -1)))
    try {
      const path = `/api/clips/${clip.id}/${what}`
      const told = is ? await api.put<Record<string, number>>(path) : await api.delete<Record<string, number>>(path)
      show(is, told[`${what}s`] ?? before)
      return true
    } catch (problem) {
      show(!is, before)
      toasts.problem(tell(problem))
      return false
    }
  }
}

export const keeping = new Keeping()
