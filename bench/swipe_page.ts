/**
 * The page of bench/swipe.py: the same swipes through the same clips, by four ways of delivery; and the
 * floor, below which no way can be on this machine.
 */
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

/**
 * The floor: files that lie in memory, the next one whole, decoded, painted and paused. What is measured
 * of it is the browser and the machine alone.
 */
const inMemory = new Map<string, string>()

async function prepare(clips: Clip[]): Promise<void> {
  for (const { renditions } of clips) {
    const answer = await fetch(renditions[0]!.url)
    inMemory.set(renditions[0]!.url, URL.createObjectURL(await answer.blob()))
  }
}

const floor = (clips: Clip[]) =>
  progressive(clips.map((clip) => ({ ...clip, renditions: clip.renditions.map((one) => ({ ...one, url: inMemory.get(one.url)! })) })), true)

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
  let current = 0
  const drop = (at: number) => {
    made.get(at)?.leave()
    made.delete(at)
  }
  return {
    show(at) {
      current = at
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
        // As the app's slide does: what is not loaded yet plays once it is.
        const { player } = one
        void player.load(390, 693).then(() => other === current && player.play())
        if (other === at) void player.play()
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
  'floor: whole in memory': floor,
}

interface Seen {
  /** When the swipe came, in milliseconds of the visit. */
  atMs: number
  /** From the swipe until a picture of the clip is on screen, in milliseconds: this time, if it was painted before, is that of the browser's next frame. */
  pictureMs: number
  /** Until the next frame of it is presented: of a clip that was painted before, its second one. */
  nextMs: number
  /** Until it moves: until its second frame after the swipe, or the one after what was painted before. */
  movesMs: number
  /** Whether it was painted when the swipe came. */
  painted: boolean
  /** How much of its beginning was here then. */
  hereS: number
  stallMs: number
  atEndS: number
}

/** What was asked for: from when to when, in milliseconds of the visit, and the bytes. */
interface Asked {
  what: string
  fromMs: number
  tillMs: number
  bytes: number
}

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms))
const painting = () => new Promise(requestAnimationFrame)

/** Videos of which a frame was presented since they were given what they play. */
const painted = new WeakSet<EventTarget>()
document.addEventListener(
  'loadstart',
  (event) => {
    const video = event.target as HTMLVideoElement
    painted.delete(video)
    video.requestVideoFrameCallback(() => painted.add(video))
  },
  true,
)

const asked: Asked[] = []
let began = performance.now()
const plainFetch = globalThis.fetch
globalThis.fetch = (what, how) => {
  const range = /(\d+)-(\d+)/.exec(new Headers(how?.headers).get('range') ?? '')
  if (range) asked.push({ what: `${String(what)} ${range[0]}`, fromMs: performance.now() - began, tillMs: NaN, bytes: Number(range[2]) + 1 - Number(range[1]) })
  return plainFetch(what, how)
}

/** What was asked for in the visit, with the times of the browser's own book. */
function askedFor(): Asked[] {
  const entries = performance.getEntriesByType('resource') as PerformanceResourceTiming[]
  const used = new Set<PerformanceResourceTiming>()
  for (const one of asked) {
    const entry = entries.find((each) => !used.has(each) && one.what.startsWith(new URL(each.name).pathname + ' ') && each.startTime - began >= one.fromMs - 5)
    if (!entry) continue
    used.add(entry)
    one.tillMs = entry.responseEnd - began
  }
  return asked
}

async function run(name: string, clips: Clip[], dwellsMs: number[]): Promise<Seen[]> {
  sound.wanted = false
  slides.replaceChildren(...clips.map(() => document.createElement('div')))
  slides.scrollTop = 0
  began = performance.now()
  const way = WAYS[name]!(clips)
  const found: Seen[] = []
  for (const [at, dwellMs] of dwellsMs.entries()) {
    const before = box(at).querySelector('video')
    const seen: Seen = { atMs: performance.now() - began, pictureMs: Infinity, nextMs: Infinity, movesMs: Infinity, painted: before !== null && painted.has(before), hereS: before?.buffered.length ? before.buffered.end(0) : 0, stallMs: 0, atEndS: 0 }
    const swiped = performance.now()
    const since = () => performance.now() - swiped
    slides.scrollTop = at * slides.clientHeight
    const shown = way.show(at)
    // The first callback comes before the browser's next frame is drawn, the second one after it.
    if (seen.painted) void painting().then(painting).then(() => (seen.pictureMs = Math.min(seen.pictureMs, since())))
    shown.requestVideoFrameCallback(() => {
      seen.nextMs = since()
      seen.pictureMs = Math.min(seen.pictureMs, seen.nextMs)
      if (seen.painted) seen.movesMs = seen.nextMs
      else shown.requestVideoFrameCallback(() => (seen.movesMs = since()))
    })
    let waitsSince = 0
    const waits = () => (waitsSince = seen.nextMs < Infinity && !shown.seeking && waitsSince === 0 ? performance.now() : waitsSince)
    const goes = () => {
      if (waitsSince > 0) seen.stallMs += performance.now() - waitsSince
      waitsSince = 0
    }
    shown.addEventListener('waiting', waits)
    shown.addEventListener('playing', goes)
    await sleep(dwellMs)
    // Whoever has seen nothing yet waits for it.
    while (seen.movesMs === Infinity) await sleep(20)
    goes()
    shown.removeEventListener('waiting', waits)
    shown.removeEventListener('playing', goes)
    found.push({ ...seen, atEndS: shown.currentTime })
  }
  way.close()
  return found
}

Object.assign(globalThis, {
  run,
  prepare,
  askedFor,
  ways: Object.keys(WAYS),
  believed: () => ({ bps: loader.meter.bps, waitMs: loader.meter.waitMs, varies: loader.meter.varies }),
})
