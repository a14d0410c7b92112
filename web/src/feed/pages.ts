/** A feed's pages: the opaque cursor carried from each to the next, and no clip twice. */
import type { Page } from '../app/api/shapes.ts'

/** Ask for the next page when this few clips are left ahead. */
export const PREFETCH_BEFORE_END = 5
export const PAGE_SIZE = 20

export function wantsMore(index: number, length: number): boolean {
  return length - 1 - index <= PREFETCH_BEFORE_END
}

export class Pages<Item extends { id: string }> {
  private readonly ids = new Set<string>()
  private cursor: string | null = null
  private started = false
  private running: Promise<Item[]> | null = null
  private readonly load: (cursor: string | null) => Promise<Page<Item>>

  constructor(load: (cursor: string | null) => Promise<Page<Item>>) {
    this.load = load
  }

  get ended(): boolean {
    return this.started && this.cursor === null
  }

  /** Marks a clip as already shown, so that no page brings it again. */
  know(id: string): void {
    this.ids.add(id)
  }

  /**
   * The next new items; empty at the end. Calls made while one runs share its answer.
   * A page of nothing but doubles is passed over. An error leaves the cursor where it was.
   */
  next(): Promise<Item[]> {
    this.running ??= this.fetch().finally(() => {
      this.running = null
    })
    return this.running
  }

  private async fetch(): Promise<Item[]> {
    while (!this.ended) {
      const page = await this.load(this.cursor)
      this.started = true
      this.cursor = page.next
      const fresh = page.items.filter((item) => {
        if (this.ids.has(item.id)) return false
        this.ids.add(item.id)
        return true
      })
      if (fresh.length > 0) return fresh
    }
    return []
  }
}
