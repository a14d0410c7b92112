/** One <video> fed with segments, through MediaSource or, where it is there, ManagedMediaSource. */
import type { Segments } from '../app/api/shapes.ts'
import { spansOf, without, type Span } from './spans.ts'

interface ManagedWindow {
  ManagedMediaSource?: typeof MediaSource
}

/** The class to make sources of; iPhones have only the managed one. */
function sourceClass(): typeof MediaSource | undefined {
  return (globalThis as ManagedWindow).ManagedMediaSource ?? (globalThis as { MediaSource?: typeof MediaSource }).MediaSource
}

/** What a source says by itself. */
export interface Told {
  /** The browser does not take what it is given. */
  broke(): void
  /** The browser has begun to want bytes for later, or has ceased to. */
  streaming(): void
  /** The browser let go of these times. */
  evicted(lost: readonly Span[]): void
}

const mimeOf = (codecs: string) => `video/mp4; codecs="${codecs}"`
const known = new Map<string, boolean>()

/** Can this browser be fed with segments of these codecs? */
export function takesSegments(codecs: string): boolean {
  let takes = known.get(codecs)
  if (takes === undefined) {
    takes = sourceClass()?.isTypeSupported(mimeOf(codecs)) ?? false
    known.set(codecs, takes)
  }
  return takes
}

type Step = { bytes: BufferSource; done: () => void } | 'break off'

/**
 * Feeds a video element. Pieces are appended one after the other, in the order they are given. A managed
 * source lets go of what it has whenever memory is short, and says when it wants more; a plain one may
 * let go where its room is full. What is gone is told, never guessed from what was given.
 */
export class Source {
  private readonly source: MediaSource
  private readonly url: string
  private readonly codecs: string
  private readonly durationS: number
  private buffer: SourceBuffer | null = null
  private readonly queue: Step[] = []
  private endsHere = false
  private isGone = false
  private readonly told: Told
  /**
   * What was there when it was looked at last. Once all is given a browser counts the last second as there though
   * its sound is shorter, and before not: so each state is compared with itself.
   */
  private readonly had = { open: [] as Span[], ended: [] as Span[] }

  constructor(video: HTMLVideoElement, segments: Segments, told: Told) {
    this.codecs = segments.codecs
    this.durationS = segments.durations_ms.reduce((sum, one) => sum + one, 0) / 1000
    this.told = told
    this.source = new (sourceClass()!)()
    this.source.addEventListener('sourceopen', () => this.opened(), { once: true })
    for (const name of ['startstreaming', 'endstreaming']) this.source.addEventListener(name, () => !this.isGone && told.streaming())
    this.url = URL.createObjectURL(this.source)
    video.src = this.url
  }

  /** Whether the browser wants bytes for later; one that does not manage its sources always does. */
  get streams(): boolean {
    return (this.source as { streaming?: boolean }).streaming ?? true
  }

  /** Resolves when the bytes are taken in, or will never be. */
  append(bytes: BufferSource): Promise<void> {
    return new Promise((done) => {
      if (this.isGone) return done()
      this.queue.push({ bytes, done })
      this.next()
    })
  }

  /** The segment whose first bytes were given will not be gone on with. */
  breakOff(): void {
    if (this.isGone) return
    this.queue.push('break off')
    this.next()
  }

  /** The last segment has been given: the clip ends, and may begin again, where it ends. */
  end(): void {
    this.endsHere = true
    this.next()
  }

  /** Lets go of everything; the element gets another source or none. */
  close(): void {
    this.isGone = true
    URL.revokeObjectURL(this.url)
    for (const step of this.queue.splice(0)) if (step !== 'break off') step.done()
  }

  private opened(): void {
    if (this.isGone) return
    try {
      this.buffer = this.source.addSourceBuffer(mimeOf(this.codecs))
      this.source.duration = this.durationS
    } catch {
      return this.fail()
    }
    this.buffer.addEventListener('updateend', () => {
      this.compare()
      this.next()
    })
    this.buffer.addEventListener('bufferedchange', () => this.compare())
    this.buffer.addEventListener('error', () => this.fail())
    this.next()
  }

  /** Tells what was there and is not any more. */
  private compare(): void {
    const state = this.source.readyState
    if (this.isGone || state === 'closed') return
    const now = spansOf(this.buffer!.buffered)
    const lost = without(this.had[state], now)
    this.had[state] = now
    if (lost.length === 0) return
    const other = state === 'open' ? 'ended' : 'open'
    this.had[other] = without(this.had[other], lost)
    this.told.evicted(lost)
  }

  private current: (() => void) | null = null

  private next(): void {
    const buffer = this.buffer
    if (!buffer || buffer.updating || this.isGone) return
    this.current?.()
    this.current = null
    let step = this.queue.shift()
    try {
      while (step === 'break off') {
        if (this.source.readyState === 'open') buffer.abort()
        step = this.queue.shift()
      }
      if (step) {
        this.current = step.done
        buffer.appendBuffer(step.bytes)
      } else if (this.endsHere && this.source.readyState === 'open') {
        // More may still come for what is missing before: that opens it again.
        this.endsHere = false
        this.source.endOfStream()
        this.compare()
      }
    } catch {
      this.fail()
    }
  }

  private fail(): void {
    if (this.isGone) return
    this.close()
    this.current?.()
    this.told.broke()
  }
}
