/** A few <video> elements, used again and again: phones allow only some decoders, and bless elements one by one. */
import { MOST_PLAYERS } from './window.ts'

const free: HTMLVideoElement[] = []
let alive = 0

export function takeVideo(): HTMLVideoElement | null {
  const kept = free.pop()
  if (kept) return kept
  if (alive >= MOST_PLAYERS) return null
  alive += 1
  const video = document.createElement('video')
  video.playsInline = true
  video.loop = true
  video.muted = true
  video.preload = 'none'
  video.disableRemotePlayback = true
  // The buttons around it are the controls; the picture itself is described by the slide.
  video.tabIndex = -1
  video.setAttribute('aria-hidden', 'true')
  return video
}

/** Gives an element back; its connection and decoder are let go at once. */
export function giveBack(video: HTMLVideoElement): void {
  video.pause()
  video.replaceChildren()
  video.removeAttribute('src')
  video.load()
  video.remove()
  free.push(video)
}
