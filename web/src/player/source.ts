/** One <video> fed with segments, through MediaSource or, where it is there, ManagedMediaSource. */
import type { Segments } from '../app/api/shapes.ts'

interface ManagedWindow {
  ManagedMediaSource?: typeof MediaSource
}

/** The class to make sources of; iPhones have only the managed one. */
function sourceClass(): typeof MediaSource | undefined {
  return (globalThis as ManagedWindow).ManagedMediaSource ?? (globalThis as { MediaSource?: typeof MediaSource }).MediaSource
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

/** Feeds a video element. Pieces are appended one after the other, in the order they are given. */
export class Source {
  private readonly source: MediaSource
  private readonly url: string
  private readonly codecs: string
  private readonly durationS: number
  private buffer: SourceBuffer | null = null
  private readonly queue: { bytes: BufferSource; done: () => void }[] = []
  private isWhole = false
  private isGone = false
  private readonly broke: () => void

  /** `broke` is called when the browser does not take what it is given. */
  constructor(video: HTMLVideoElement, segments: Segments, broke: () => void) {
    this.codecs = segments.codecs
    this.durationS = segments.durations_ms.reduce((sum, one) => sum + one, 0) / 1000
    this.broke = broke
    this.source = new (sourceClass()!)()
    this.source.addEventListener('sourceopen', () => this.opened(), { once: true })
    this.url = URL.createObjectURL(this.source)
    video.src = this.url
  }

  /** Resolves when the bytes are taken in, or will never be. */
  append(bytes: BufferSource): Promise<void> {
    return new Promise((done) => {
      if (this.isGone) return done()
      this.queue.push({ bytes, done })
      this.next()
    })
  }

  /** All segments have been given: the clip ends, and may begin again, where they end. */
  end(): void {
    this.isWhole = true
    this.next()
  }

  /** Lets go of everything; the element gets another source or none. */
  close(): void {
    this.isGone = true
    URL.revokeObjectURL(this.url)
    for (const { done } of this.queue.splice(0)) done()
  }

  private opened(): void {
    if (this.isGone) return
    try {
      this.buffer = this.source.addSourceBuffer(mimeOf(this.codecs))
      this.source.duration = this.durationS
    } catch {
      return this.fail()
    }
    this.buffer.addEventListener('updateend', () => this.next())
    this.buffer.addEventListener('error', () => this.fail())
    this.next()
  }

  private current: (() => void) | null = null

  private next(): void {
    const buffer = this.buffer
    if (!buffer || buffer.updating || this.isGone) return
    this.current?.()
    this.current = null
    const piece = this.queue.shift()
    try {
      if (piece) {
        this.current = piece.done
        buffer.appendBuffer(piece.bytes)
      } else if (this.isWhole && this.source.readyState === 'open') {
        this.source.endOfStream()
      }
    } catch {
      piece?.done()
      this.fail()
    }
  }

  private fail(): void {
    if (this.isGone) return
    this.close()
    this.current?.()
    this.broke()
  }
}
