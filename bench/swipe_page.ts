/** The page of bench/swipe.py: the same swipes through the same clips, by four ways of delivery. */
import Hls from '../web/node_modules/hls.js/dist/hls.light.mjs'
import type { Clip } from '../web/src/app/api/shapes.ts'
import { loader } from '../web/src/player/loader.ts'
import { Player } from '../web/src/player/player.svelte.ts'
import { sound } from '../web/src/player/sound.svelte.ts'

/** One way to bring clips to the screen. */
interface Way {
  /** Clip `at` is on screen now; its video, once there is one. */
  show(at: number): HTMLVideoElement
  close(): void
}

const slides = document.querySelector<HTMLElement>('#slides')!
const box = (at: number) => slides.children[at] as HTMLElement

function video(at: number): HTMLVideoElement {
  const made = document.createElement('video')
  made.playsInline = made.muted = made.loop = true
  box(at).append(made)
  return made
}

/** A file from its beginning; with `ahead`, that of the next clip too, as the browser cares to. */
function progressive(clips: Clip[], ahead: boolean): Way {
  const videos = new Map<number, HTMLVideoElement>()
  const open = (at: number) => {
    if (videos.has(at) || !clips[at]) return
    const made = video(at)
    made.preload = 'auto'
    made.src = clips[at].renditions[0]!.url
    videos.set(at, made)
  }
  const drop = (at: number) => {
    const old = videos.get(at)
    if (!old) return
    old.removeAttribute('src')
    old.load()
    old.remove()
    videos.delete(at)
  }
  return {
    show(at) {
      for (const other of [...videos.keys()]) if (other < at - 1 || other > at + 1 || (!ahead && other !== at)) drop(other)
      open(at)
      if (ahead) open(at + 1)
      void videos.get(at)!.play()
      videos.get(at - 1)?.pause()
      return videos.get(at)!
    },
    close: () => [...videos.keys()].forEach(drop),
  }
}

/** hls.js (light) over our playlists; the next clip is prepared, both with five seconds ahead at most. */
function withHls(clips: Clip[]): Way {
  const made = new Map<number, { hls: Hls; video: HTMLVideoElement }>()
  const open = (at: number) => {
    if (made.has(at) || !clips[at]) return
    const hls = new Hls({ maxBufferLength: 5, maxMaxBufferLength: 5, backBufferLength: 30, startLevel: 0 })
    const player = video(at)
    hls.loadSource(clips[at].playlist_url!)
    hls.attachMedia(player)
    made.set(at, { hls, video: player })
  }
  const drop = (at: number) => {
    made.get(at)?.hls.destroy()
    made.get(at)?.video.remove()
    made.delete(at)
  }
  return {
    show(at) {
      for (const other of [...made.keys()]) if (other < at - 1 || other > at + 1) drop(other)
      open(at)
      open(at + 1)
      void made.get(at)!.video.play().catch(() => undefined)
      made.get(at)!.video.addEventListener('canplay', (event) => void (event.target as HTMLVideoElement).play(), { once: true })
      made.get(at - 1)?.video.pause()
      return made.get(at)!.video
    },
    close: () => [...made.keys()].forEach(drop),
  }
}

/** What the app does: its own players and loader, one behind and two ahead. */
function ours(clips: Clip[]): Way {
  const made = new Map<number, { player: Player; leave: () => void }>()
  const drop = (at: number) => {
    made.get(at)?.leave()
    made.delete(at)
  }
  return {
    show(at) {
      for (const other of [...made.keys()]) if (other < at - 1 || other > at + 2) drop(other)
      for (let other = Math.max(0, at - 1); other <= at + 2; other += 1) {
        if (!clips[other]) continue
        let one = made.get(other)
        if (!one) {
          const player = new Player(clips[other])
          one = { player, leave: player.attach(box(other)) }
          made.set(other, one)
        }
        one.player.place(other - at)
        void one.player.load(390, 693)
        if (other === at) void one.player.play()
        else one.player.rewind(), one.player.pause()
      }
      return box(at).querySelector('video')!
    },
    close: () => [...made.keys()].forEach(drop),
  }
}

const WAYS: Record<string, (clips: Clip[]) => Way> = {
  'progressive, cold': (clips) => progressive(clips, false),
  'progressive, next preloaded': (clips) => progressive(clips, true),
  'hls.js, next prepared': withHls,
  ours,
}

interface Seen {
  /** From the swipe to the next frame of the clip that was presented, in milliseconds. */
  firstMs: number
  /** Whether a frame of it was on screen when the swipe came. */
  ready: boolean
  stallMs: number
  atEndS: number
}

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms))

async function run(name: string, clips: Clip[], dwellsMs: number[]): Promise<Seen[]> {
  sound.wanted = false
  slides.replaceChildren(...clips.map(() => document.createElement('div')))
  slides.scrollTop = 0
  const way = WAYS[name]!(clips)
  const found: Seen[] = []
  for (const [at, dwellMs] of dwellsMs.entries()) {
    const before = box(at).querySelector('video')
    const ready = (before?.readyState ?? 0) >= HTMLMediaElement.HAVE_CURRENT_DATA
    const swiped = performance.now()
    slides.scrollTop = at * slides.clientHeight
    const shown = way.show(at)
    let firstMs = Infinity
    let stallMs = 0
    let since = 0
    shown.requestVideoFrameCallback(() => (firstMs = performance.now() - swiped))
    const waits = () => (since = firstMs < Infinity && !shown.seeking && since === 0 ? performance.now() : since)
    const goes = () => {
      if (since > 0) stallMs += performance.now() - since
      since = 0
    }
    shown.addEventListener('waiting', waits)
    shown.addEventListener('playing', goes)
    await sleep(dwellMs)
    // Whoever has seen nothing yet waits for it.
    while (firstMs === Infinity) await sleep(20)
    goes()
    shown.removeEventListener('waiting', waits)
    shown.removeEventListener('playing', goes)
    found.push({ firstMs, ready, stallMs, atEndS: shown.currentTime })
  }
  way.close()
  return found
}

Object.assign(globalThis, { run, ways: Object.keys(WAYS), believed: () => ({ bps: loader.meter.bps, waitMs: loader.meter.waitMs }) })
