/** Signals on their way to the cell: gathered, sent in lots, kept until the cell has answered, and never more than some. */
import type { Signal } from '../../app/api/shapes.ts'

export const SEND_AT = 20
export const SEND_EVERY_MS = 4000
/** The cell takes this many in one request. */
export const MOST_AT_ONCE = 100
/** Without a line no more than this many wait; the oldest are given up. */
export const MOST_WAITING = 400
const RETRY_MS = [4000, 8000, 16_000, 30_000]

/** What became of a lot: taken or refused for good, or to be sent once more. */
export type Sent = 'done' | 'again'

export interface Post {
  /** `last`: the page is going away, so the request must outlive it. */
  send(lot: Signal[], last: boolean): Promise<Sent>
  /** Calls back after so many ms; the answer calls it off. */
  later(ms: number, act: () => void): () => void
}

export class Batch {
  /** By place and kind: what is said twice of a slot before it is sent is one signal, with its newest numbers. */
  private readonly waiting = new Map<string, Signal>()
  private readonly post: Post
  private sending: Promise<void> | null = null
  private stop: (() => void) | null = null
  private failures = 0

  constructor(post: Post) {
    this.post = post
  }

  get size(): number {
    return this.waiting.size
  }

  add(signal: Signal): void {
    const key = [signal.page, signal.slot, signal.kind, signal.hashtag ?? ''].join(' ')
    // Again at the end, so that the oldest stand first.
    this.waiting.delete(key)
    this.waiting.set(key, signal)
    if (this.waiting.size > MOST_WAITING) {
      const [oldest] = this.waiting.keys()
      if (oldest !== undefined) this.waiting.delete(oldest)
    }
    if (this.waiting.size >= SEND_AT && this.failures === 0) void this.flush()
    else this.wait()
  }

  /** Sends all that waits. Resolves when that was tried, whatever came of it. */
  flush(): Promise<void> {
    this.sending ??= this.run().finally(() => {
      this.sending = null
      if (this.waiting.size > 0) this.wait()
    })
    return this.sending
  }

  /** The page may not come back: everything leaves now, also what is on its way already; the cell knows doubles. */
  leave(): void {
    for (const lot of chunks([...this.waiting])) void this.try(lot, true)
  }

  private async run(): Promise<void> {
    for (const lot of chunks([...this.waiting])) if ((await this.try(lot, false)) === 'again') return
  }

  private async try(lot: [string, Signal][], last: boolean): Promise<Sent> {
    const sent = await this.post.send(lot.map(([, signal]) => signal), last).catch((): Sent => 'again')
    if (sent === 'again') {
      this.failures += 1
      return sent
    }
    this.failures = 0
    // What has changed meanwhile is another signal, and stays.
    for (const [key, signal] of lot) if (this.waiting.get(key) === signal) this.waiting.delete(key)
    return sent
  }

  private wait(): void {
    if (this.stop) return
    const ms = this.failures === 0 ? SEND_EVERY_MS : (RETRY_MS[Math.min(this.failures, RETRY_MS.length) - 1] ?? SEND_EVERY_MS)
    this.stop = this.post.later(ms, () => {
      this.stop = null
      void this.flush()
    })
  }
}

function chunks<T>(all: T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / MOST_AT_ONCE) }, (_, at) => all.slice(at * MOST_AT_ONCE, (at + 1) * MOST_AT_ONCE))
}
