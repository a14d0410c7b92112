/**
 * AV1 for some clips that many watch: fewer bytes for the same picture, where this browser decodes it
 * without dropping frames. Nothing is known of a browser but what it answers itself.
 */
import type { Rendition } from '../app/api/shapes.ts'
import type { Cut } from './loader.ts'
import { takesSegments } from './source.ts'

/** Upper bounds of what the cell makes: with fewer frames or bytes it is decoded no less smoothly. */
const FRAMERATE = 60
const LEAST_BPS = 2 ** 20

const answers = new Map<string, Promise<boolean>>()
let isTrusted = true

/** The renditions of a clip that are there in AV1, as renditions. */
export function twins(renditions: readonly Rendition[]): Cut[] {
  return renditions.flatMap((one) =>
    one.av1 ? [{ ...one, url: one.av1.url, bitrate_bps: one.av1.bitrate_bps, size_bytes: one.av1.size_bytes, segments: one.av1 }] : [],
  )
}

/** Those of a clip's renditions in AV1 that play smoothly here. */
export async function smoothTwins(renditions: readonly Rendition[]): Promise<Cut[]> {
  if (!isTrusted) return []
  const able = twins(renditions).filter((one) => takesSegments(one.segments.codecs))
  const smooth = await Promise.all(able.map(isSmooth))
  return able.filter((_, at) => smooth[at])
}

/** It was not taken after all: on this page, H.264 plays from here on. */
export function distrust(): void {
  isTrusted = false
}

function isSmooth(cut: Cut): Promise<boolean> {
  const codec = cut.segments.codecs.split(',')[0]!
  // One answer for each size and profile, whatever the rate of a clip below this is.
  const bitrate = Math.max(LEAST_BPS, 2 ** Math.ceil(Math.log2(cut.bitrate_bps)))
  const key = `${codec} ${cut.width}x${cut.height} ${bitrate}`
  let answer = answers.get(key)
  if (!answer) {
    answer = ask(codec, cut, bitrate)
    answers.set(key, answer)
  }
  return answer
}

async function ask(codec: string, cut: Cut, bitrate: number): Promise<boolean> {
  const able = (globalThis as { navigator?: Navigator }).navigator?.mediaCapabilities
  if (!able) return false
  try {
    const { width, height } = cut
    const video = { contentType: `video/mp4; codecs="${codec}"`, width, height, bitrate, framerate: FRAMERATE }
    const found = await able.decodingInfo({ type: 'media-source', video })
    return found.supported && found.smooth
  } catch {
    return false
  }
}
