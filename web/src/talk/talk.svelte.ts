/** Which clip's comments are open, and what is known of them. */
import { api } from '../app/api/client.ts'
import type { Clip } from '../app/api/shapes.ts'
import { shelf } from '../clips/shelf.svelte.ts'
import { t } from '../app/i18n/index.svelte.ts'
import { toasts } from '../notify/toasts.svelte.ts'
import { session } from '../people/session.svelte.ts'
import type { Comment, CommentsPage, Order, WhoMay } from './shapes.ts'

/** Writers of the same thread are told at once; who only reads asks this often. */
const ASK_EVERY_MS = 5000
const NOBODY = '00000000-0000-0000-0000-000000000000'

/** What was said under one comment, as far as it is open. */
export class Thread {
  items = $state<Comment[]>([])
  open = $state(false)
  ended = $state(false)
  loading = $state(false)
  problem = $state<unknown>(null)
  private cursor: string | null = null
  private readonly id: string

  constructor(id: string) {
    this.id = id
  }

  async more(): Promise<void> {
    if (this.loading) return
    this.open = true
    this.loading = true
    this.problem = null
    try {
      const page = await api.get<CommentsPage>(`/api/comments/${this.id}/replies`, { cursor: this.cursor, limit: 20 })
      this.add(page.items)
      this.cursor = page.next
      this.ended = page.next === null
    } catch (problem) {
      this.problem = problem
    } finally {
      this.loading = false
    }
  }

  /** In the order in which they were said, each once. */
  add(more: Comment[]): void {
    const known = new Set(this.items.map((one) => one.id))
    this.items = [...this.items, ...more.filter((one) => !known.has(one.id))].sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  drop(id: string): void {
    this.items = this.items.filter((one) => one.id !== id)
  }
}

/** The comments on one clip. */
export class Conversation {
  items = $state<Comment[]>([])
  order = $state<Order>('best')
  ended = $state(false)
  loading = $state(false)
  problem = $state<unknown>(null)
  commentsBy = $state<WhoMay | null>(null)
  mayComment = $state(false)
  /** Comments that came while the page was open stand in the light for a moment. */
  fresh = $state<Record<string, boolean>>({})
  readonly clip: Clip
  private readonly said: (() => void) | undefined
  private cursor: string | null = null
  private newest = NOBODY
  private readonly threads = new Map<string, Thread>()
  private timer: ReturnType<typeof setInterval> | undefined

  constructor(clip: Clip, said?: () => void) {
    this.clip = clip
    this.said = said
  }

  start(): void {
    void this.more()
    this.timer = setInterval(() => void this.ask(), ASK_EVERY_MS)
  }

  stop(): void {
    clearInterval(this.timer)
  }

  thread(head: string): Thread {
    let thread = this.threads.get(head)
    if (!thread) this.threads.set(head, (thread = new Thread(head)))
    return thread
  }

  async pick(order: Order): Promise<void> {
    if (order === this.order) return
    this.order = order
    this.items = []
    this.cursor = null
    this.ended = false
    this.loading = false
    await this.more()
  }

  async more(): Promise<void> {
    if (this.loading || this.ended) return
    this.loading = true
    this.problem = null
    const order = this.order
    try {
      const page = await api.get<CommentsPage>(this.path, { order, cursor: this.cursor, limit: 20 })
      if (order !== this.order) return
      this.items = [...this.items, ...page.items.filter((one) => !this.items.some((known) => known.id === one.id))]
      this.cursor = page.next
      this.ended = page.next === null
      this.commentsBy = page.comments_by
      this.mayComment = page.may_comment
      shelf.change(this.clip.id, { comments: page.comments })
      this.note(page.items)
    } catch (problem) {
      this.problem = problem
    } finally {
      if (order === this.order) this.loading = false
    }
  }

  /** What came since; quietly nothing where the cell does not answer. */
  async ask(): Promise<void> {
    if (document.hidden || this.loading) return
    const page = await api.get<CommentsPage>(`${this.path}/since/${this.newest}`).catch(() => null)
    if (page) this.take(page.items)
  }

  private take(items: Comment[]): void {
    this.note(items)
    for (const one of items) {
      if (this.knows(one)) continue
      this.count(1)
      this.fresh[one.id] = true
      if (one.parent_id === null) {
        const pinned = this.items.filter((known) => known.is_pinned).length
        this.items = [...this.items.slice(0, pinned), one, ...this.items.slice(pinned)]
        continue
      }
      this.thread(one.parent_id).add([one])
      const head = this.items.find((known) => known.id === one.parent_id)
      if (head && one.held_for === null) head.replies += 1
    }
  }

  private knows(one: Comment): boolean {
    const list = one.parent_id === null ? this.items : (this.threads.get(one.parent_id)?.items ?? [])
    return list.some((known) => known.id === one.id)
  }

  private note(items: Comment[]): void {
    for (const one of items) if (one.id > this.newest) this.newest = one.id
  }

  private count(by: number): void {
    shelf.change(this.clip.id, { comments: Math.max(0, this.clip.comments + by) })
  }

  async write(text: string, to: Comment | null): Promise<Comment> {
    const made = await api.post<Comment>(this.path, { text, reply_to: to?.id ?? null })
    this.take([made])
    this.said?.()
    // One's own that waits for the author is in no number yet.
    if (made.held_for !== null) this.count(-1)
    if (made.parent_id) this.thread(made.parent_id).open = true
    return made
  }

  async like(one: Comment): Promise<void> {
    if (!one.viewer || !session.allows('like')) return
    const liked = !one.viewer.liked
    const before = one.likes
    one.viewer.liked = liked
    one.likes = Math.max(0, before + (liked ? 1 : -1))
    try {
      const path = `/api/comments/${one.id}/like`
      one.likes = (await (liked ? api.put<{ likes: number }>(path) : api.delete<{ likes: number }>(path))).likes
      if (one.viewer.is_author) one.liked_by_author = liked
    } catch (problem) {
      one.viewer.liked = !liked
      one.likes = before
      throw problem
    }
  }

  async remove(one: Comment): Promise<void> {
    await api.delete(`/api/comments/${one.id}`)
    const shown = one.held_for === null ? 1 : 0
    this.count(-(one.replies + shown))
    if (one.parent_id === null) {
      this.items = this.items.filter((known) => known.id !== one.id)
      return
    }
    this.thread(one.parent_id).drop(one.id)
    const head = this.items.find((known) => known.id === one.parent_id)
    if (head) head.replies = Math.max(0, head.replies - shown)
  }

  async pin(one: Comment): Promise<void> {
    const path = `/api/comments/${one.id}/pin`
    Object.assign(one, one.is_pinned ? await api.delete<Comment>(path) : await api.put<Comment>(path))
    const rest = this.items.filter((known) => known.id !== one.id)
    const at = one.is_pinned ? 0 : rest.filter((known) => known.is_pinned).length
    this.items = [...rest.slice(0, at), one, ...rest.slice(at)]
  }

  async approve(one: Comment): Promise<void> {
    Object.assign(one, await api.put<Comment>(`/api/comments/${one.id}/approval`))
    this.count(1)
    const head = one.parent_id ? this.items.find((known) => known.id === one.parent_id) : null
    if (head) {
      head.replies += 1
      head.held_for = null
    }
  }

  private get path(): string {
    return `/api/clips/${this.clip.id}/comments`
  }
}

class Talk {
  /** The clip whose comments are on the screen. */
  clip = $state.raw<Clip | null>(null)
  conversation = $state.raw<Conversation | null>(null)
  private opener: HTMLElement | null = null

  /** `said` is called when the person has said something. */
  open(clip: Clip, said?: () => void): void {
    this.opener = document.activeElement as HTMLElement | null
    this.close()
    this.clip = clip
    this.conversation = new Conversation(clip, said)
    this.conversation.start()
  }

  close(): void {
    this.conversation?.stop()
    this.conversation = null
    this.clip = null
  }

  /** The sheet's script did not come. */
  lost(): void {
    this.close()
    toasts.problem({ sentence: t('app.page-lost'), next_step: t('app.page-lost.hint') })
  }

  /** After the sheet has gone: the focus goes back to what opened it. */
  giveBack(): void {
    this.opener?.focus({ preventScroll: true })
    this.opener = null
  }

  /** Are this clip's comments on the screen? */
  shows(clipId: string): boolean {
    return this.clip?.id === clipId
  }

  /** The cell told of a comment. True where it is on the screen now. */
  hear(clipId: string): boolean {
    if (this.clip?.id !== clipId) return false
    void this.conversation?.ask()
    return true
  }
}

export const talk = new Talk()
