import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Rendition } from '../app/api/shapes.ts'
import { distrust, smoothTwins, twins } from './av1.ts'

const segments = (url: string, codecs: string) => ({ url, size_bytes: 9, init_bytes: 1, sizes: [4, 4], durations_ms: [1000, 500], codecs })
const rung = (width: number, bitrate_bps: number, av1Bps: number | null): Rendition => ({
  name: String(width), width, height: width * 2, bitrate_bps, size_bytes: 99, mime: 'video/mp4', url: `/h${width}`,
  segments: segments(`/h${width}`, 'avc1.64001f,mp4a.40.2'),
  av1: av1Bps === null ? null : { ...segments(`/a${width}`, 'av01.0.04M.08,mp4a.40.2'), bitrate_bps: av1Bps },
})
const CLIP = [rung(540, 900_000, 500_000), rung(720, 2_000_000, 1_200_000), rung(1080, 4_000_000, null)]

type Asked = { type: string; video: { contentType: string; width: number; framerate: number; bitrate: number } }
const asked: Asked[] = []
let answer: (video: Asked['video']) => { supported: boolean; smooth: boolean } = () => ({ supported: true, smooth: true })
Object.defineProperty(globalThis, 'MediaSource', { configurable: true, value: { isTypeSupported: () => true } })
const capable = (mediaCapabilities: unknown) =>
  Object.defineProperty(globalThis, 'navigator', { configurable: true, value: { mediaCapabilities } })
const counted = { decodingInfo: async (config: Asked) => (asked.push(config), answer(config.video)) }

test('a twin has the bytes and the rate of AV1, and the size of its rendition', () => {
  const [low, high, ...rest] = twins(CLIP)
  assert.deepEqual([low!.url, low!.bitrate_bps, low!.size_bytes, low!.width, low!.segments.codecs], ['/a540', 500_000, 9, 540, 'av01.0.04M.08,mp4a.40.2'])
  assert.deepEqual([high!.name, rest.length], ['720', 0])
})

test('a browser that cannot say how well it decodes gets none', async () => {
  capable(undefined)
  const odd = [rung(1, 10, 5)]
  assert.deepEqual(await smoothTwins(odd), [])
})

test('one that would drop frames, or fails to answer, gets none of that size', async () => {
  capable(counted)
  answer = ({ width }) => ({ supported: true, smooth: width < 720 })
  assert.deepEqual((await smoothTwins(CLIP)).map((one) => one.name), ['540'])
  assert.deepEqual(asked.map((one) => [one.type, one.video.contentType, one.video.width]), [
    ['media-source', 'video/mp4; codecs="av01.0.04M.08"', 540],
    ['media-source', 'video/mp4; codecs="av01.0.04M.08"', 720],
  ])
  answer = () => {
    throw new TypeError('unknown')
  }
  assert.deepEqual(await smoothTwins([rung(333, 10, 5)]), [])
})

test('it is asked once for clips of the same size and about the same rate', async () => {
  const before = asked.length
  await smoothTwins([rung(540, 900_000, 700_000)])
  assert.equal(asked.length, before)
})

test('once AV1 was not taken, it is not tried again', async () => {
  assert.equal((await smoothTwins(CLIP)).length, 1)
  distrust()
  assert.deepEqual(await smoothTwins(CLIP), [])
})
