/** The lists of clips that a person scrolls through; they stay where they were while one visits another page. */
import { api, personPath } from '../app/api/client.ts'
import type { Clip, FeedKind, Page } from '../app/api/shapes.ts'
import { shelf } from '../clips/shelf.svelte.ts'
import { session } from '../people/session.svelte.ts'
import { PAGE_SIZE, Pages, wantsMore } from './pages.ts'

export class Stream {
  clips = $state.raw<Clip[]>([])
  index = $state(0)
  ended = $state(false)
  loading = $state(false)
  problem = $state<unknown>(null)
  private readonly path: string
  private pages: Pages<Clip>

  constructor(path: string) {
    this.path = path
    this.pages = this.fresh()
  }

  private fresh(): Pages<Clip> {
    return new Pages<Clip>((cursor) => api.get<Page<Clip>>(this.path, { cursor, limit: PAGE_SIZE }))
  }

  /** Puts a clip first, whatever the pages bring. */
  pin(clip: Clip): void {
    this.pages.know(clip.id)
    this.clips = [shelf.put(clip), ...this.clips.filter((other) => other.id !== clip.id)]
  }

  async more(): Promise<void> {
    if (this.loading || this.ended) return
    this.loading = true
    this.problem = null
    const pages = this.pages
    try {
      const items = await pages.next()
      if (pages !== this.pages) return
      this.clips = [...this.clips, ...items.map((clip) => shelf.put(clip))]
      this.ended = pages.ended
    } catch (problem) {
      if (pages === this.pages) this.problem = problem
    } finally {
      if (pages === this.pages) this.loading = false
    }
  }

  /** The person is at this clip now. */
  at(index: number): void {
    this.index = index
    if (!this.problem && wantsMore(index, this.clips.length)) void this.more()
  }

  /** Starts over, keeping `first` on screen when there is one. */
  async restart(first?: Clip): Promise<void> {
    this.pages = this.fresh()
    this.clips = []
    this.index = 0
    this.ended = this.loading = false
    if (first) this.pin(first)
    await this.more()
  }

  drop(id: string): void {
    this.clips = this.clips.filter((clip) => clip.id !== id)
  }
}

const LATEST = '/api/feeds/latest'

class Streams {
  private readonly kept = new Map<string, Stream>()
  private turn = 0

  feed(kind: FeedKind): Stream {
    return this.at(`/api/feeds/${kind}`)
  }

  person(handle: string): Stream {
    return this.at(personPath(handle, '/clips'))
  }

  /** A clip opened by its own link, then the others of its author. */
  from(clip: Clip): Stream {
    this.renew()
    const key = `clip:${clip.id}`
    const kept = this.kept.get(key)
    if (kept) return kept
    const stream = new Stream(personPath(clip.author.handle, '/clips'))
    stream.pin(clip)
    this.kept.set(key, stream)
    return stream
  }

  /** A deleted clip leaves every list; a new one is asked for by the lists of its author. */
  drop(id: string): void {
    for (const stream of this.kept.values()) stream.drop(id)
  }

  forgetPerson(handle: string): void {
    this.kept.delete(personPath(handle, '/clips'))
  }

  /** After signing in or out everything is loaded again, but the clip on screen stays on screen. */
  private renew(): void {
    if (this.turn === session.turn) return
    this.turn = session.turn
    const latest = this.kept.get(LATEST)
    this.kept.clear()
    shelf.empty()
    if (!latest) return
    this.kept.set(LATEST, latest)
    // Later, because this may be asked while a page is being drawn.
    queueMicrotask(() => void this.reload(latest))
  }

  private async reload(latest: Stream): Promise<void> {
    const here = latest.clips[latest.index]
    await latest.restart(here ? await shelf.refresh(here.id) : undefined)
  }

  private at(path: string): Stream {
    this.renew()
    let stream = this.kept.get(path)
    if (!stream) {
      stream = new Stream(path)
      this.kept.set(path, stream)
    }
    return stream
  }
}

export const streams = new Streams()
