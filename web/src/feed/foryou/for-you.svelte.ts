/** For You on this device: where one is in it, what is told to the cell, and what a visitor has hidden. */
import { api, ApiError } from '../../app/api/client.ts'
import type { Clip, ForYouPage, ForYouSettings, Mode, Signal, SignalKind } from '../../app/api/shapes.ts'
import { recall, remember } from '../../app/memory.ts'
import { session } from '../../people/session.svelte.ts'
import type { Source } from '../streams.svelte.ts'
import { Batch, type Sent } from './batch.ts'
import { hide, hides, readHidden, takeBack, type Hidden, type HiddenKind } from './hidden.ts'
import { Walk, type Door, type Place } from './walk.ts'
import { SEEN_MS, Watch, type OnScreen } from './watch.ts'

const PATH = '/api/feeds/for-you'
const PAGE_SIZE = 10
/** A page waits this long, at most, for what happened before it to be told. */
const PATIENCE_MS = 800
const MOST_PLACES = 500

const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms))

class ForYou implements Source {
  mode = $state<Mode>('public')
  /** What a visitor has hidden on this device. */
  hidden = $state.raw<Hidden>(readHidden(recall('hidden')))
  private readonly places = new Map<string, Place>()
  private readonly batch = new Batch({ send: (lot, last) => this.send(lot, last), later })
  private readonly watch = new Watch({
    now: () => performance.now(),
    signal: (signal) => this.batch.add(signal),
    seen: (id) => this.walk.done(id),
    later: (ms, act) => void setTimeout(act, ms),
  })
  private readonly door: Door<Clip> = {
    load: (cursor) => this.load(cursor),
    again,
    recall: () => recall('for-you'),
    remember: (text) => remember('for-you', text),
    now: () => Date.now(),
  }
  private walk = new Walk(this.door)

  constructor() {
    this.mode = this.walk.mode
    document.addEventListener('visibilitychange', () => document.hidden && this.leave(SEEN_MS))
    addEventListener('pagehide', () => this.leave(0))
  }

  /** Begins a new session; nothing of the last one is kept. */
  anew(): this {
    this.walk.end()
    this.walk = new Walk(this.door, true)
    this.watch.forget()
    return this
  }

  /** Another person is here, or nobody. */
  forget(): void {
    this.anew()
    this.places.clear()
    // Later, because this may be asked while a page is being drawn.
    queueMicrotask(() => (this.mode = 'public'))
  }

  // Source

  get ended(): boolean {
    return this.walk.ended
  }

  get begun(): boolean {
    return this.walk.begun
  }

  know(id: string): void {
    this.walk.know(id)
  }

  reopen(): void {
    this.walk.reopen()
  }

  async next(): Promise<Clip[]> {
    for (;;) {
      const walk = this.walk
      const items = await walk.next()
      if (walk === this.walk) this.mode = walk.mode
      for (const clip of items) {
        const place = walk.place(clip.id)
        if (place) this.remember(clip.id, place)
      }
      const shown = items.filter((clip) => !this.isHidden(clip))
      for (const clip of items) if (!shown.includes(clip)) walk.done(clip.id)
      if (shown.length > 0 || walk.ended || items.length === 0) return shown
    }
  }

  // What happens to clips

  place(id: string): Place | undefined {
    return this.places.get(id)
  }

  watches(clip: Clip, is: OnScreen): void {
    const place = this.places.get(clip.id)
    if (place) this.watch.tell(clip.id, place, is)
  }

  tell(clip: Clip, kind: SignalKind): void {
    const place = this.places.get(clip.id)
    if (place) this.batch.add({ ...place, kind })
  }

  /** Tells it at once, and waits until the cell has it: the next page obeys. A visitor's wish is kept here too. */
  async reject(clip: Clip, kind: 'not-interested' | 'hid-author' | 'hid-hashtag' | 'hid-sound' | 'reported', hashtag?: string): Promise<void> {
    const place = this.places.get(clip.id)
    if (kind === 'reported') this.watch.hush(clip.id)
    if (place) {
      const told = await api.post<{ refused: { code: string }[] }>(`${PATH}/signals`, { signals: [{ ...place, kind, hashtag }] })
      const refusal = told.refused[0]
      if (refusal && session.me) throw new ApiError(409, refusal.code, '', '')
    }
    if (session.me) return
    if (kind === 'hid-author') this.hide('authors', clip.author.handle)
    else if (kind === 'hid-hashtag' && hashtag) this.hide('hashtags', hashtag)
    else if (kind === 'hid-sound' && clip.sound) this.hide('sounds', clip.sound.id)
    else this.hide('clips', clip.id)
  }

  /** A rejected clip is not brought again after a reload. */
  done(id: string): void {
    this.walk.done(id)
  }

  // A visitor's own list

  takeBack(kind: HiddenKind, value: string): void {
    this.keepHidden(takeBack(this.hidden, kind, value))
  }

  takeBackClips(): void {
    this.keepHidden({ ...this.hidden, sounds: [], clips: [] })
  }

  // Learning

  settings = (): Promise<ForYouSettings> => api.get<ForYouSettings>(`${PATH}/settings`)

  async learn(mode: Mode): Promise<ForYouSettings> {
    await this.batch.flush()
    const told = await api.put<ForYouSettings>(`${PATH}/mode`, { mode })
    this.mode = told.mode
    return told
  }

  async reset(): Promise<ForYouSettings> {
    await this.batch.flush()
    return api.post<ForYouSettings>(`${PATH}/reset`)
  }

  unhide(kind: 'author' | 'hashtag' | 'sound' | 'clips', value = ''): Promise<ForYouSettings> {
    return api.delete<ForYouSettings>(`${PATH}/hidden?${new URLSearchParams(value ? { kind, value } : { kind })}`)
  }

  private hide(kind: HiddenKind, value: string): void {
    this.keepHidden(hide(this.hidden, kind, value))
  }

  private keepHidden(hidden: Hidden): void {
    this.hidden = hidden
    remember('hidden', JSON.stringify(hidden))
  }

  private isHidden(clip: Clip): boolean {
    return !session.me && hides(this.hidden, clip)
  }

  private remember(id: string, place: Place): void {
    this.places.delete(id)
    this.places.set(id, place)
    const [oldest] = this.places.keys()
    if (this.places.size > MOST_PLACES && oldest !== undefined) this.places.delete(oldest)
  }

  private async load(cursor: string | null): Promise<ForYouPage> {
    if (this.batch.size > 0) await Promise.race([this.batch.flush(), pause(PATIENCE_MS)])
    return api.get<ForYouPage>(PATH, { cursor, limit: PAGE_SIZE })
  }

  private async send(signals: Signal[], last: boolean): Promise<Sent> {
    try {
      await api.post(`${PATH}/signals`, { signals }, { keepalive: last })
      return 'done'
    } catch (problem) {
      // No line, too many at once, or a cell in trouble: later. What the cell refuses stays refused.
      const status = problem instanceof ApiError ? problem.status : 0
      return status === 0 || status === 429 || status >= 500 ? 'again' : 'done'
    }
  }

  private leave(leastMs: number): void {
    this.watch.interim(leastMs)
    this.batch.leave()
  }
}

async function again(id: string): Promise<Clip | null> {
  try {
    const clip = await api.get<Clip>(`/api/clips/${id}`)
    return clip.state === 'published' ? clip : null
  } catch (problem) {
    if (problem instanceof ApiError && problem.status > 0 && problem.status < 500) return null
    throw problem
  }
}

function later(ms: number, act: () => void): () => void {
  const timer = setTimeout(act, ms)
  return () => clearTimeout(timer)
}

export const forYou = new ForYou()
