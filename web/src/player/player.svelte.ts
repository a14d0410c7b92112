/**
 * One clip in one <video>: loads a fitting rendition, plays, and says when a frame was really painted.
 * Where browser and clip allow it, it is fed with segments by the loader; else it plays a file from
 * its beginning.
 */
import type { Clip, Rendition } from '../app/api/shapes.ts'
import { shelf } from '../clips/shelf.svelte.ts'
import { distrust, smoothTwins } from './av1.ts'
import { connection, Line } from './line.ts'
import { loader, type Cut, type Fed } from './loader.ts'
import { plain, playlistFor } from './plain.ts'
import { giveBack, takeVideo } from './pool.ts'
import { chooseRendition, type Conditions } from './rendition.ts'
import { captions, sound } from './sound.svelte.ts'
import { Source, takesSegments } from './source.ts'

export const line = new Line()

const TICK_MS = 90
/** A jump that nobody asked for and that ends this early is the clip beginning again. */
const LOOPED_S = 0.25

export class Player implements Fed {
  painted = $state(false)
  playing = $state(false)
  waiting = $state(false)
  failed = $state(false)
  /** Enough is here to play on without a stop, as far as the browser can tell. */
  ready = $state(false)
  timeMs = $state(0)
  durationMs = $state(0)
  /** How often the clip has begun again by itself since it was left last. */
  loops = $state(0)
  /** The caption line to show now. */
  cue = $state('')

  /** Places from the clip on screen, once that is known. */
  offset: number | null = null
  private readonly clip: Clip
  private source: Source | null = null
  /** In AV1, what it is played from where that is there and decoded smoothly; null: H.264. */
  private twins: readonly Cut[] | null = null
  private stage = { stageWidth: 0, stageHeight: 0 }
  private isPlain = false
  private video: HTMLVideoElement | null = null
  private gone = new AbortController()
  private rendition: Rendition | undefined
  private retried = false
  /** It was told to play and not to stop since: what is broken before its first frame plays on, too. */
  private wantsToPlay = false
  private lastTick = 0
  /** The person, not the end of the clip, moved the place. */
  private sought = false

  constructor(clip: Clip) {
    this.clip = clip
    this.durationMs = clip.duration_ms ?? 0
  }

  /** Puts a video element into `host`; call the answer to take it out again. */
  attach(host: HTMLElement): () => void {
    const video = takeVideo()
    if (!video) return () => undefined
    this.video = video
    this.gone = new AbortController()
    host.append(video)
    this.listen(video)
    return () => {
      this.gone.abort()
      this.letGo()
      this.video = null
      this.painted = this.playing = this.ready = this.waiting = this.wantsToPlay = false
      this.rendition = undefined
      giveBack(video)
    }
  }

  /** Starts fetching; does nothing when it already has. */
  async load(stageWidth: number, stageHeight: number): Promise<void> {
    const video = this.video
    if (!video || this.rendition || stageWidth === 0) return
    if (runsOut(this.clip.renditions[0]?.url)) await shelf.refresh(this.clip.id)
    if (this.video !== video || this.rendition) return
    this.stage = { stageWidth, stageHeight }
    this.twins = null
    const smooth = this.inSegments ? await smoothTwins(this.clip.renditions) : []
    if (this.video !== video || this.rendition) return
    // All of a clip is of one codec. Which: that of the rendition that the stage asks for.
    const fitting = this.inSegments ? chooseRendition(this.cuts, this.conditions(null)) : undefined
    if (smooth.some((one) => one.name === fitting?.name)) this.twins = smooth
    this.addCaptions(video)
    video.preload = 'auto'
    if (this.inSegments) {
      this.rendition = this.choose(null)
      this.source = new Source(video, this.choose(null).segments, {
        broke: () => this.refused(),
        streaming: () => loader.look(),
        evicted: (lost) => loader.evicted(this, lost),
      })
      loader.add(this)
    } else {
      this.rendition = chooseRendition(plain(this.clip.renditions), this.conditions(line.bps(connection())))
      const url = playlistFor(this.clip) ?? this.rendition?.url
      if (!this.rendition || !url) {
        this.failed = true
        return
      }
      video.src = url
    }
    this.awaitFrame(video)
  }

  /** Is it to be fed by the loader, which itself sees to what may be fetched when? */
  get inSegments(): boolean {
    return !this.isPlain && this.cuts.length > 0
  }

  /** Where it stands in the feed. */
  place(offset: number | null): void {
    if (this.offset === offset) return
    this.offset = offset
    if (this.source) loader.look()
  }

  get cuts(): readonly Cut[] {
    const able = this.twins ?? this.clip.renditions.filter((one): one is Cut => one.segments !== null && takesSegments(one.segments.codecs))
    return [...able].sort((a, b) => a.width - b.width || a.bitrate_bps - b.bitrate_bps)
  }

  get blank(): boolean {
    return !this.painted
  }

  get streams(): boolean {
    return this.source?.streams ?? true
  }

  get waits(): boolean {
    return this.waiting && this.painted && !this.video?.seeking
  }

  choose(bps: number | null): Cut {
    this.rendition = chooseRendition(this.cuts, this.conditions(bps ?? line.bps(connection())))
    return this.rendition as Cut
  }

  async take(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.source?.append(bytes)
  }

  breakOff(): void {
    this.source?.breakOff()
  }

  ends(): void {
    this.source?.end()
  }

  /** Segments cannot be had or are not taken: from here on it plays a file from its beginning. */
  lost(): void {
    const video = this.video
    if (!video || !this.source) return
    this.letGo()
    void this.broken(video, plain(this.clip.renditions).length > 0)
  }

  /** The browser does not take the bytes that it was given. */
  private refused(): void {
    if (this.twins) distrust()
    this.lost()
  }

  private letGo(): void {
    if (!this.source) return
    this.source.close()
    this.source = null
    loader.remove(this)
  }

  private conditions(lineBps: number | null): Conditions {
    return { ...this.stage, pixelRatio: devicePixelRatio, lineBps, saveData: connection()?.saveData ?? false }
  }

  async play(): Promise<void> {
    const video = this.video
    this.wantsToPlay = true
    if (!video?.src) return
    video.muted = !sound.audible
    try {
      await video.play()
    } catch (problem) {
      if ((problem as DOMException).name !== 'NotAllowedError' || video.muted) return
      // The browser wants a touch before sound: play on silently, and offer "Tap for sound".
      sound.blocked = true
      video.muted = true
      await video.play().catch(() => undefined)
    }
  }

  pause(): void {
    this.wantsToPlay = false
    this.video?.pause()
  }

  mute(silent: boolean): void {
    if (this.video) this.video.muted = silent
  }

  rewind(): void {
    this.loops = 0
    if (this.video && this.video.currentTime > 0) this.seek(0)
  }

  seek(timeMs: number): void {
    if (!this.video) return
    const end = Math.max(0, this.durationMs - 50)
    this.sought = true
    this.video.currentTime = Math.min(Math.max(0, timeMs), end) / 1000
    this.timeMs = this.video.currentTime * 1000
    if (this.source) loader.look()
  }

  retry(stageWidth: number, stageHeight: number): void {
    this.failed = this.isPlain = false
    this.letGo()
    this.rendition = undefined
    void shelf.refresh(this.clip.id).then(() => this.load(stageWidth, stageHeight)).then(() => this.play())
  }

  private listen(video: HTMLVideoElement): void {
    const signal = this.gone.signal
    const on = (name: string, act: () => void) => video.addEventListener(name, act, { signal })
    on('playing', () => {
      this.playing = true
      this.waiting = false
    })
    on('pause', () => (this.playing = false))
    on('waiting', () => {
      this.waiting = true
      if (!this.painted || video.seeking || !this.rendition) return
      if (this.source) loader.stalled()
      else line.stalled(this.rendition.bitrate_bps)
    })
    on('canplay', () => (this.waiting = false))
    on('canplaythrough', () => (this.ready = true))
    on('suspend', () => {
      // The browser has buffered all it cares to: the line is free for the next clip.
      if (video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA) this.ready = true
    })
    on('loadedmetadata', () => {
      if (Number.isFinite(video.duration)) this.durationMs = video.duration * 1000
    })
    on('seeking', () => {
      // A clip that begins again may find that its beginning is not here any more.
      this.timeMs = video.currentTime * 1000
      if (this.source) loader.look()
    })
    on('timeupdate', () => (this.timeMs = video.currentTime * 1000))
    on('seeked', () => {
      if (video.currentTime === 0) line.flowed()
      if (!this.sought && video.currentTime < LOOPED_S) this.loops += 1
      this.sought = false
    })
    on('error', () => {
      if (this.source) this.refused()
      else void this.broken(video)
    })
  }

  /** A signed address may have run out, or the line broke: ask once more with fresh addresses. */
  private async broken(video: HTMLVideoElement, isPlain = false): Promise<void> {
    if (!video.getAttribute('src')) return
    const isFirst = !this.isPlain && isPlain
    this.isPlain ||= isPlain
    if ((this.retried && !isFirst) || !navigator.onLine) {
      this.failed = true
      return
    }
    this.retried = true
    const at = video.currentTime
    await shelf.refresh(this.clip.id)
    if (this.video !== video) return
    this.rendition = undefined
    await this.load(video.clientWidth, video.clientHeight)
    video.currentTime = at
    if (this.wantsToPlay) await this.play()
  }

  private awaitFrame(video: HTMLVideoElement): void {
    const signal = this.gone.signal
    if (!('requestVideoFrameCallback' in video)) {
      const old = video as HTMLVideoElement
      old.addEventListener('timeupdate', () => (this.painted = true), { signal, once: true })
      return
    }
    const frame = (now: number, told: VideoFrameCallbackMetadata) => {
      if (signal.aborted) return
      this.painted = true
      if (now - this.lastTick > TICK_MS) {
        this.lastTick = now
        this.timeMs = told.mediaTime * 1000
      }
      video.requestVideoFrameCallback(frame)
    }
    video.requestVideoFrameCallback(frame)
  }

  private addCaptions(video: HTMLVideoElement): void {
    video.replaceChildren()
    this.cue = ''
    if (!this.clip.captions) return
    const track = document.createElement('track')
    track.kind = 'captions'
    track.srclang = this.clip.captions.language
    track.label = this.clip.captions.language
    track.src = this.clip.captions.url
    video.append(track)
    // Hidden, not disabled: the cues are drawn by the slide, clear of the words and buttons at its foot.
    track.track.mode = captions.shown ? 'hidden' : 'disabled'
    track.addEventListener('cuechange', () => this.readCue(track.track), { signal: this.gone.signal })
  }

  showCaptions(shown: boolean): void {
    for (const track of this.video?.textTracks ?? []) {
      if (track.mode !== (shown ? 'hidden' : 'disabled')) track.mode = shown ? 'hidden' : 'disabled'
    }
    if (!shown) this.cue = ''
  }

  private readCue(track: TextTrack): void {
    const lines = [...(track.activeCues ?? [])].map((cue) => (cue as VTTCue).getCueAsHTML().textContent ?? '')
    this.cue = lines.join('\n')
  }
}

/** A signed address that has ended, or will before the first bytes are here. */
function runsOut(url: string | undefined): boolean {
  const exp = url ? new URL(url, location.origin).searchParams.get('exp') : null
  return exp !== null && Number(exp) * 1000 < Date.now() + 5000
}
