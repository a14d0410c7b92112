/** What a person looks for and what was found; it stays while they visit a clip, and is nowhere else. */
import { api } from '../app/api/client.ts'
import type { Clip, FoundClips, FoundHashtag, FoundPerson, FoundSound, Overview, Page } from '../app/api/shapes.ts'
import { Pages } from '../feed/pages.ts'
import { Stream } from '../feed/streams.svelte.ts'
import { session } from '../people/session.svelte.ts'

export const TABS = ['top', 'clips', 'people', 'hashtags', 'sounds'] as const
export type Tab = (typeof TABS)[number]
export type Order = 'best' | 'new' | 'liked'

/** After so long without a key the cell is asked. */
const PAUSE_MS = 180
const NOTHING: Overview = { people: [], hashtags: [], sounds: [] }

/** People, page by page, by what was looked for. */
class FoundPeople {
  items = $state<FoundPerson[]>([])
  ended = $state(false)
  loading = $state(false)
  problem = $state<unknown>(null)
  private cursor: string | null = null
  private readonly q: string

  constructor(q: string) {
    this.q = q
  }

  async more(): Promise<void> {
    if (this.loading || this.ended) return
    this.loading = true
    this.problem = null
    try {
      const page = await api.post<Page<FoundPerson>>('/api/search/people', { q: this.q, cursor: this.cursor, limit: 30 })
      const known = new Set(this.items.map((one) => one.handle))
      this.items = [...this.items, ...page.items.filter((one) => !known.has(one.handle))]
      this.cursor = page.next
      this.ended = page.next === null
    } catch (problem) {
      this.problem = problem
    } finally {
      this.loading = false
    }
  }
}

class Search {
  text = $state('')
  tab = $state<Tab>('top')
  order = $state<Order>('best')
  /** What was asked last: it may be behind what is typed. */
  asked = $state('')
  loading = $state(false)
  problem = $state<unknown>(null)
  near = $state.raw<string[]>([])
  private overview = $state.raw<Overview>(NOTHING)
  stream = $state.raw<Stream>(new Stream(() => new Pages<Clip>(async () => ({ items: [], next: null }))))
  listing = $state.raw(new FoundPeople(''))
  private waiting: ReturnType<typeof setTimeout> | undefined
  private turn = 0
  private whose = -1

  get people(): FoundPerson[] {
    return this.overview.people
  }

  get hashtags(): FoundHashtag[] {
    return this.overview.hashtags
  }

  get sounds(): FoundSound[] {
    return this.overview.sounds
  }

  /** Whether all that this tab could show has been asked for and is not there. */
  get nothing(): boolean {
    if (this.loading || this.problem || !this.asked) return false
    const clips = this.stream.clips.length > 0 || !this.stream.ended || this.stream.problem !== null
    const people = this.people.length > 0 || !this.listing.ended
    switch (this.tab) {
      case 'top':
        return !clips && this.people.length === 0 && this.hashtags.length === 0
      case 'clips':
        return !clips
      case 'people':
        return !people
      case 'hashtags':
        return this.hashtags.length === 0
      case 'sounds':
        return this.sounds.length === 0
    }
  }

  /** After signing in or out it is asked anew: others may be seen. */
  renew(): void {
    if (this.whose === session.turn) return
    const first = this.whose === -1
    this.whose = session.turn
    if (!first && this.asked) this.ask()
  }

  typed(): void {
    clearTimeout(this.waiting)
    if (this.text.trim() === '') this.clear()
    else this.waiting = setTimeout(() => this.ask(), PAUSE_MS)
  }

  clear(): void {
    clearTimeout(this.waiting)
    this.turn += 1
    this.text = this.asked = ''
    this.loading = false
    this.problem = null
    this.overview = NOTHING
  }

  /** Asks for what is typed now. */
  ask(): void {
    clearTimeout(this.waiting)
    const q = this.text.trim()
    if (q === '') return
    this.turn += 1
    this.near = []
    this.listing = new FoundPeople(q)
    void this.listing.more()
    this.stream = this.clips(q, this.order, this.turn)
    void this.stream.more()
    void this.look(q, this.turn)
  }

  private async look(q: string, turn: number): Promise<void> {
    this.loading = true
    this.problem = null
    try {
      const found = await api.post<Overview>('/api/search', { q, people: 5, hashtags: 30, sounds: 30 })
      if (turn !== this.turn) return
      this.overview = found
      this.asked = q
    } catch (problem) {
      if (turn === this.turn) this.problem = problem
    } finally {
      if (turn === this.turn) this.loading = false
    }
  }

  private clips(q: string, order: Order, turn: number): Stream {
    return new Stream(() => new Pages<Clip>(async (cursor) => {
      const page = await api.post<FoundClips>('/api/search/clips', { q, order, cursor, limit: 24 })
      if (turn === this.turn) this.near = [...new Set([...this.near, ...page.near])]
      return page
    }))
  }
}

export const search = new Search()
