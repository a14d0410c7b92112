/**
 * One walk through For You: page after page, where each clip was served, and how to go on after a reload. What is kept on
 * the device are the cursor and the clips still to be seen, not those that were.
 */
import type { ForYouPage, Mode } from '../../app/api/shapes.ts'

/** The cell forgets a session after this long; what was kept here is then of no use. */
export const LIVES_MS = 24 * 3_600_000
/** Pages without anything new are passed over, but not for ever. */
const MOST_EMPTY = 5

/** Where a clip was served: what signals and "Why this clip?" name. */
export interface Place {
  page: string
  slot: number
}

export interface Door<Item> {
  load(cursor: string | null): Promise<ForYouPage<Item>>
  /** A clip that was served before; null when it is there no more. */
  again(id: string): Promise<Item | null>
  recall(): string | null
  remember(text: string | null): void
  now(): number
}

interface Waiting extends Place {
  id: string
}

interface Kept {
  /** When the session began, in ms; 0 before the first answer. */
  began: number
  /** Some clip was served in it. */
  some: boolean
  /** What the next page is asked with. */
  cursor: string | null
  /** Nothing new was left when we asked last. */
  ended: boolean
  mode: Mode
  /** Served, and not yet seen. */
  waiting: Waiting[]
}

const NEW: Kept = { began: 0, some: false, cursor: null, ended: false, mode: 'public', waiting: [] }

export class Walk<Item extends { id: string }> {
  private readonly door: Door<Item>
  private readonly ids = new Set<string>()
  private readonly places = new Map<string, Place>()
  private kept: Kept
  /** Clips of before the reload that are still to be brought. */
  private left: Waiting[]
  private first = true
  private isOver = false
  private running: Promise<Item[]> | null = null

  /** Goes on where the last walk on this device was, unless `anew`. */
  constructor(door: Door<Item>, anew = false) {
    this.door = door
    this.kept = (anew ? null : read(door.recall(), door.now())) ?? { ...NEW }
    if (anew) door.remember(null)
    this.left = [...this.kept.waiting]
    for (const one of this.left) this.places.set(one.id, { page: one.page, slot: one.slot })
  }

  get ended(): boolean {
    return this.left.length === 0 && this.kept.ended
  }

  /** Was a clip of this walk served already, perhaps before a reload? */
  get begun(): boolean {
    return this.kept.some
  }

  get mode(): Mode {
    return this.kept.mode
  }

  place(id: string): Place | undefined {
    return this.places.get(id)
  }

  /** Marks a clip as already shown, so that no page brings it again. */
  know(id: string): void {
    this.ids.add(id)
  }

  /** The person has seen this clip, or does not want to: it is not brought again. */
  done(id: string): void {
    const waiting = this.kept.waiting.filter((one) => one.id !== id)
    if (waiting.length === this.kept.waiting.length) return
    this.kept.waiting = waiting
    this.left = this.left.filter((one) => one.id !== id)
    this.save()
  }

  /** Another walk has begun: whatever this one still hears is not kept. */
  end(): void {
    this.isOver = true
  }

  /** At the end: the next call asks what is new since. */
  reopen(): void {
    this.kept.ended = false
  }

  /** The next new clips; empty at the end. Calls made while one runs share its answer; after an error the same is asked again. */
  next(): Promise<Item[]> {
    this.running ??= this.fetch().finally(() => {
      this.running = null
    })
    return this.running
  }

  private async fetch(): Promise<Item[]> {
    for (let empty = 0; !this.ended && empty < MOST_EMPTY; empty += 1) {
      const items = this.left.length > 0 ? await this.bring() : await this.page()
      const fresh = items.filter((item) => {
        if (this.ids.has(item.id)) return false
        this.ids.add(item.id)
        return true
      })
      if (fresh.length > 0) return fresh
    }
    this.kept.ended = this.left.length === 0
    return []
  }

  /** The first one alone, so that it plays as soon as can be; then the others. */
  private async bring(): Promise<Item[]> {
    const lot = this.first ? this.left.slice(0, 1) : this.left
    const items = await Promise.all(lot.map((one) => this.door.again(one.id)))
    this.first = false
    this.left = this.left.filter((one) => !lot.includes(one))
    const gone = lot.filter((_, at) => items[at] === null)
    if (gone.length > 0) {
      this.kept.waiting = this.kept.waiting.filter((one) => !gone.includes(one))
      this.save()
    }
    return items.filter((item) => item !== null)
  }

  private async page(): Promise<Item[]> {
    if (this.kept.began > 0 && this.door.now() - this.kept.began >= LIVES_MS) {
      this.kept = { ...NEW }
      this.ids.clear()
    }
    const told = await this.door.load(this.kept.cursor)
    const places = told.items.map((item, at) => ({ id: item.id, page: told.page, slot: told.slots[at] ?? at }))
    for (const one of places) this.places.set(one.id, { page: one.page, slot: one.slot })
    this.kept = {
      began: this.kept.began || this.door.now(),
      some: this.kept.some || told.items.length > 0,
      cursor: told.next ?? told.resume,
      ended: told.next === null,
      mode: told.mode,
      waiting: [...this.kept.waiting, ...places.filter((one) => !this.ids.has(one.id))],
    }
    this.save()
    return told.items
  }

  private save(): void {
    if (this.isOver) return
    this.door.remember(JSON.stringify(this.kept))
  }
}

/** What was kept, if it is of today and looks as we wrote it. */
function read(text: string | null, now: number): Kept | null {
  if (!text) return null
  try {
    const kept = JSON.parse(text) as Kept
    const age = now - kept.began
    if (!(age >= 0 && age < LIVES_MS) || !Array.isArray(kept.waiting) || typeof kept.cursor !== 'string') return null
    const waiting = kept.waiting.filter((one) => typeof one.id === 'string' && typeof one.page === 'string' && Number.isInteger(one.slot))
    return { began: kept.began, some: kept.some === true, cursor: kept.cursor, ended: kept.ended === true, mode: kept.mode === 'learning' ? 'learning' : 'public', waiting }
  } catch {
    return null
  }
}
