/** A clip on its way out: upload, post, and the wait for the cell. It goes on while one visits other pages. */
import type { Reach } from '../../abroad/shapes.ts'
import { api, ApiError } from '../../app/api/client.ts'
import type { Clip } from '../../app/api/shapes.ts'
import { t, tell } from '../../app/i18n/index.svelte.ts'
import { toasts } from '../../notify/toasts.svelte.ts'
import { streams } from '../../feed/streams.svelte.ts'
import { Smaller } from '../../media/smaller.svelte.ts'
import { MediaUpload } from '../../media/upload.svelte.ts'
import type { Plan } from '../../media/shrink.ts'
import { shelf } from '../shelf.svelte.ts'
import { bodyOf, dropDraft, keepDraft, type Draft } from './draft.ts'

/** News come over the live line; this is for when that line is down. */
const ASK_AGAIN_MS = 4000

class Posting {
  phase = $state<'idle' | 'shrinking' | 'uploading' | 'posting' | 'sent'>('idle')
  smaller = $state.raw<Smaller | null>(null)
  /** How many bytes less are sent than the film has. */
  spared = $state(0)
  upload = $state.raw<MediaUpload | null>(null)
  clip = $state.raw<Clip | null>(null)
  problem = $state<unknown>(null)
  private draft: Draft | null = null
  private durationMs = 0
  private handle = ''
  private timer: ReturnType<typeof setInterval> | undefined

  get running(): boolean {
    return this.phase === 'shrinking' || this.phase === 'uploading' || this.phase === 'posting'
  }

  async start(draft: Draft, durationMs: number, handle: string): Promise<void> {
    this.draft = draft
    this.durationMs = durationMs
    this.handle = handle
    this.clip = null
    await this.run()
  }

  /** After a problem: goes on from the step that failed. */
  async run(): Promise<void> {
    const draft = this.draft
    if (!draft) return
    this.problem = null
    addEventListener('beforeunload', warn)
    try {
      if (!draft.uploadId) {
        if (draft.shrink && !draft.small && !(await this.shrink(draft, draft.shrink))) return
        if (draft.mustShrink && !draft.small) throw new ApiError(0, 'film-not-small-enough', '', '')
        this.phase = 'uploading'
        void keepDraft({ ...draft, posting: true })
        const film = draft.small ?? draft.file
        this.spared = draft.file.size - film.size
        this.upload = new MediaUpload(film)
        draft.uploadId = await this.upload.finished
        void keepDraft({ ...draft, posting: true })
      }
      this.phase = 'posting'
      const clip = shelf.put(await api.post<Clip>('/api/clips', bodyOf(draft, draft.uploadId, this.durationMs)))
      this.clip = clip
      if (draft.reach && draft.reach !== 'region') await this.letOut(clip.id, draft.reach)
      this.phase = 'sent'
      await dropDraft()
      streams.forgetPerson(this.handle)
      this.watch(clip.id)
    } catch (problem) {
      if (this.draft) this.problem = problem
    } finally {
      removeEventListener('beforeunload', warn)
    }
  }

  /** Makes the draft's film smaller, or finds that it goes as it is; false where it goes nowhere any more. */
  private async shrink(draft: Draft, plan: Plan): Promise<boolean> {
    this.phase = 'shrinking'
    void keepDraft({ ...draft, posting: true })
    this.smaller = new Smaller(draft.file, plan, draft.mustShrink)
    const small = await this.smaller.finished
    // Back in the editor all is as it was.
    if (this.draft !== draft) return false
    draft.small = small
    // What could not be done once is not tried again by itself.
    if (!draft.mustShrink) draft.shrink = null
    this.smaller = null
    return true
  }

  /** The clip is posted either way: what cannot leave stays in its region, and one is told. */
  private async letOut(id: string, reach: Reach): Promise<void> {
    try {
      await api.put(`/api/clips/${id}/reach`, { reach })
    } catch (problem) {
      const { sentence, next_step } = tell(problem)
      toasts.problem({ sentence: t('reach.lost', { why: sentence }), next_step })
    }
  }

  /** Stops and goes back to the editor; what the cell has of the file is dropped. */
  async cancel(): Promise<void> {
    const upload = this.upload
    this.smaller?.stop()
    this.reset()
    await upload?.cancel()
  }

  reset(): void {
    clearInterval(this.timer)
    this.draft = null
    this.upload = null
    this.smaller = null
    this.spared = 0
    this.clip = null
    this.problem = null
    this.phase = 'idle'
  }

  private watch(id: string): void {
    clearInterval(this.timer)
    this.timer = setInterval(() => {
      if (shelf.get(id)?.state === 'processing') void shelf.refresh(id)
      else clearInterval(this.timer)
    }, ASK_AGAIN_MS)
  }
}

function warn(event: BeforeUnloadEvent): void {
  event.preventDefault()
}

export const posting = new Posting()
