/** The lists of clips that a person scrolls through; they stay where they were while one visits another page. */
import { api, personPath } from '../app/api/client.ts'
import type { Clip, FeedKind, Page } from '../app/api/shapes.ts'
import { shelf } from '../clips/shelf.svelte.ts'
import { session } from '../people/session.svelte.ts'
import { forYou } from './foryou/for-you.svelte.ts'
import { PAGE_SIZE, Pages, wantsMore } from './pages.ts'

/** Where a stream's clips come from. */
export interface Source {
  readonly ended: boolean
  /** Marks a clip as already shown, so that it is not brought again. */
  know(id: string): void
  /** The next new clips; empty at the end. */
  next(): Promise<Clip[]>
}

export class Stream {
  clips = $state.raw<Clip[]>([])
  index = $state(0)
  ended = $state(false)
  loading = $state(false)
  problem = $state<unknown>(null)
  private readonly anew: () => Source
  /** Counts up with each restart: an answer to what was asked before it is dropped. */
  private turn = 0
  private source: Source

  constructor(anew: () => Source, source = anew()) {
    this.anew = anew
    this.source = source
  }

  /** Puts a clip first, whatever the pages bring. */
  pin(clip: Clip): void {
    this.source.know(clip.id)
    this.clips = [shelf.put(clip), ...this.clips.filter((other) => other.id !== clip.id)]
  }

  async more(): Promise<void> {
    if (this.loading || this.ended) return
    this.loading = true
    this.problem = null
    const turn = this.turn
    try {
      const items = await this.source.next()
      if (turn !== this.turn) return
      this.clips = [...this.clips, ...items.map((clip) => shelf.put(clip))]
      this.ended = this.source.ended
    } catch (problem) {
      if (turn === this.turn) this.problem = problem
    } finally {
      if (turn === this.turn) this.loading = false
    }
    // A short page is not waited for until one has scrolled to its end.
    if (turn === this.turn && !this.problem && wantsMore(this.index, this.clips.length)) await this.more()
  }

  /** The person is at this clip now. */
  at(index: number): void {
    this.index = index
    if (!this.problem && wantsMore(index, this.clips.length)) void this.more()
  }

  /** Starts over, keeping `first` on screen when there is one. */
  async restart(first?: Clip): Promise<void> {
    this.turn += 1
    this.source = this.anew()
    this.clips = []
    this.index = 0
    this.ended = this.loading = false
    this.problem = null
    if (first) this.pin(first)
    await this.more()
  }

  drop(id: string): void {
    this.clips = this.clips.filter((clip) => clip.id !== id)
  }

  /** Takes clips out, and stays at the one on screen; if that goes too, at the one after it. */
  dropAll(goes: (clip: Clip) => boolean): void {
    const before = this.clips.slice(0, this.index).filter((clip) => !goes(clip)).length
    this.clips = this.clips.filter((clip) => !goes(clip))
    this.at(before)
  }

  /** Asks at the end of it what is new since. */
  async lookAgain(): Promise<void> {
    forYou.reopen()
    this.ended = false
    await this.more()
  }
}

/** A list of the cell that is paged by cursors. */
function paged(path: string): () => Source {
  return () => new Pages<Clip>((cursor) => api.get<Page<Clip>>(path, { cursor, limit: PAGE_SIZE }))
}

const FOR_YOU = '/api/feeds/for-you'
const LATEST = '/api/feeds/latest'
/** After signing in or out the clip on screen stays on screen in these. */
const KEPT = [FOR_YOU, LATEST]

class Streams {
  private readonly kept = new Map<string, Stream>()
  private turn = 0

  feed(kind: FeedKind): Stream {
    return this.at(`/api/feeds/${kind}`)
  }

  person(handle: string): Stream {
    return this.at(personPath(handle, '/clips'))
  }

  hashtag(tag: string, order: 'new' | 'liked'): Stream {
    return this.at(`/api/hashtags/${encodeURIComponent(tag)}/clips?order=${order}`)
  }

  /** A clip opened by its own link, then the others of its author. */
  from(clip: Clip): Stream {
    this.renew()
    const key = `clip:${clip.id}`
    const kept = this.kept.get(key)
    if (kept) return kept
    const stream = new Stream(paged(personPath(clip.author.handle, '/clips')))
    stream.pin(clip)
    this.kept.set(key, stream)
    return stream
  }

  /** Any other list of clips that is paged by cursors. */
  list(path: string): Stream {
    return this.at(path)
  }

  /** A deleted clip leaves every list; a new one is asked for by the lists of its author. */
  drop(id: string): void {
    for (const stream of this.kept.values()) stream.drop(id)
  }

  /** A person's clips leave every list; those of the person's own profile only where one blocks. */
  leaveOut(handle: string, everywhere: boolean): void {
    const own = personPath(handle, '/clips')
    for (const [path, stream] of this.kept) {
      if (everywhere || path !== own) stream.dropAll((clip) => clip.author.handle === handle)
    }
  }

  forgetPerson(handle: string): void {
    this.kept.delete(personPath(handle, '/clips'))
  }

  /** After signing in or out everything is loaded again, but the clip on screen stays on screen. */
  private renew(): void {
    if (this.turn === session.turn) return
    this.turn = session.turn
    const open = KEPT.flatMap((path) => [...this.kept].filter(([key]) => key === path))
    this.kept.clear()
    shelf.empty()
    forYou.forget()
    for (const [path, stream] of open) {
      this.kept.set(path, stream)
      // Later, because this may be asked while a page is being drawn.
      queueMicrotask(() => void this.reload(stream))
    }
  }

  /** Loads a stream from its beginning, and keeps the clip on screen there. */
  async reload(stream: Stream): Promise<void> {
    const here = stream.clips[stream.index]
    await stream.restart(here ? await shelf.refresh(here.id) : undefined)
  }

  private at(path: string): Stream {
    this.renew()
    let stream = this.kept.get(path)
    if (!stream) {
      stream = path === FOR_YOU ? new Stream(() => forYou.anew(), forYou) : new Stream(paged(path))
      this.kept.set(path, stream)
    }
    return stream
  }
}

export const streams = new Streams()
