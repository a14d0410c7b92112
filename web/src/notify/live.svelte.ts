/** News from the cell as it happens, over server-sent events. */
import { api } from '../app/api/client.ts'
import type { Author, Clip, Notice, Refusal, Way } from '../app/api/shapes.ts'
import { t } from '../app/i18n/index.svelte.ts'
import { shelf } from '../clips/shelf.svelte.ts'
import { talk } from '../talk/talk.svelte.ts'
import { follows } from '../graph/follows.svelte.ts'
import { session } from '../people/session.svelte.ts'
import { Seen } from './seen.ts'
import { toasts } from './toasts.svelte.ts'
import { ABOUT_WORDS, isNight, SAID, target } from './words.ts'

interface ClipNews extends Partial<Omit<Way, 'progress'>> { event_id: string; id: string; state: Clip['state']; progress: number; refusal?: Refusal | null }
interface LikeNews { event_id: string; clip_id: string; likes: number; by: Author }
interface FollowNews { event_id: string; by: Author; state: 'yes' | 'pending' }
interface AcceptedNews { event_id: string; by: Author }
/** A line of the list that is new, or has become longer. */
interface LineNews { event_id: string; kind: Notice['kind']; line_id: string; by?: Author; clip_id?: string }
interface CommentNews { event_id: string; clip_id: string; comment_id: string; kind: 'comment' | 'comment-reply' | 'mention'; by: Author }
interface NewClipNews { event_id: string; clip_id: string; author: Author }

const RETRY_MS = [1000, 2000, 5000, 10_000, 30_000]

/** What parts that come later may hear; null where something may have been missed. */
export interface Heard {
  message: { conversation_id: string }
  signal: { conversation_id: string; device_id: string; body: string }
}

class Live {
  unread = $state(false)
  connected = $state(false)
  /** New clips of others since the feed was last read. */
  fresh = $state(0)
  /** Counts up when followers or requests may have changed; lists on screen load again. */
  people = $state(0)
  /** Counts up when the list of what happened has changed. */
  lines = $state(0)
  /** Something waits among the messages that this browser has not looked at. */
  mail = $state(false)
  private readonly hearers: { [Kind in keyof Heard]?: (news: Heard[Kind] | null) => void } = {}
  private source: EventSource | null = null
  private timer: ReturnType<typeof setTimeout> | undefined
  private failures = 0
  private seen = new Seen()

  start(): void {
    if (this.source) return
    const source = new EventSource('/api/live')
    this.source = source
    source.addEventListener('open', () => {
      this.connected = true
      // What happened while we were away was not told: ask about clips still on their way.
      if (this.failures > 0) {
        shelf.refreshUnfinished()
        if (session.me) void this.askUnread()
        this.hearers.message?.(null)
      }
      this.failures = 0
    })
    source.addEventListener('error', () => {
      this.connected = false
      this.failures += 1
      // The browser retries a cut line by itself; a refused one (restart, proxy) is ours to retry.
      if (source.readyState === EventSource.CLOSED) this.again()
    })
    this.hear<ClipNews>('clip', (news) => this.clip(news))
    this.hear<LikeNews>('like', (news) => this.like(news))
    this.hear<FollowNews>('follow', (news) => this.follow(news))
    this.hear<AcceptedNews>('follow-accepted', (news) => this.accepted(news))
    this.hear<LineNews>('notification', (news) => this.line(news))
    this.hear<NewClipNews>('new-clip', (news) => this.newClip(news))
    this.hear<CommentNews>('comment', (news) => this.comment(news))
    this.hear<Heard['message'] & { event_id: string }>('message', (news) => {
      if (this.hearers.message) this.hearers.message(news)
      else this.mail = true
    })
    this.hear<Heard['signal'] & { event_id: string }>('signal', (news) => this.hearers.signal?.(news))
  }

  /** From now on this part hears of messages itself. */
  listen<Kind extends keyof Heard>(kind: Kind, act: (news: Heard[Kind] | null) => void): void {
    this.hearers[kind] = act as never
  }

  /** Is there something in the list that was never read? */
  async askUnread(): Promise<void> {
    this.unread = await api.get<{ unread: boolean }>('/api/notifications/unread').then((told) => told.unread, () => false)
  }

  stop(): void {
    clearTimeout(this.timer)
    this.source?.close()
    this.source = null
    this.connected = false
    this.unread = this.mail = false
  }

  private again(): void {
    this.source?.close()
    this.source = null
    const wait = RETRY_MS[Math.min(this.failures - 1, RETRY_MS.length - 1)] ?? 1000
    this.timer = setTimeout(() => this.start(), wait)
  }

  private hear<News extends { event_id: string }>(kind: string, act: (news: News) => void): void {
    this.source?.addEventListener(kind, (event) => {
      const news = JSON.parse((event as MessageEvent<string>).data) as News
      if (this.seen.first(news.event_id)) act(news)
    })
  }

  private clip(news: ClipNews): void {
    const { progress, ahead = 0, left_s = null, waits_for = null } = news
    const way = news.state === 'processing' ? { progress, ahead, left_s, waits_for } : null
    shelf.change(news.id, { state: news.state, progress, way, ...(news.refusal ? { refusal: news.refusal } : {}) })
    // The published clip has renditions that the event does not carry.
    if (news.state !== 'processing') void shelf.refresh(news.id)
  }

  private like(news: LikeNews): void {
    shelf.change(news.clip_id, { likes: news.likes })
  }

  private follow(_news: FollowNews): void {
    this.people += 1
  }

  private accepted(news: AcceptedNews): void {
    this.people += 1
    follows.learn(news.by.handle, 'yes')
  }

  private newClip(news: NewClipNews): void {
    this.fresh += 1
    // Everybody hears of a public clip; only followers are told aloud.
    if (follows.of(news.author.handle, undefined) !== 'yes') return
    toasts.show({ kind: 'news', by: news.author, text: t('notify.new-clip', { name: news.author.display_name }), href: `/c/${news.clip_id}` })
  }

  private comment(news: CommentNews): void {
    talk.hear(news.clip_id)
  }

  /** The cell has looked whether the person wants it and whether it is their night; only a minor's clock is asked again. */
  private line(news: LineNews): void {
    this.lines += 1
    // Under a clip whose comments are on the screen it appears there.
    if (ABOUT_WORDS.has(news.kind) && news.clip_id && talk.shows(news.clip_id)) return
    if (session.me?.age_band !== '18+' && isNight(new Date().getHours())) return
    this.unread = true
    const text = t(SAID[news.kind], { name: news.by?.display_name ?? '' })
    toasts.show({ kind: 'news', ...(news.by ? { by: news.by } : {}), text, href: target(news.kind, news.by?.handle, news.clip_id ?? null) })
  }
}

export const live = new Live()
