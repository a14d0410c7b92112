import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Rendition } from '../app/api/shapes.ts'
import { Line } from './line.ts'
import { chooseRendition, fills, goesOnAt, type Conditions } from './rendition.ts'

const rung = (width: number, bitrate_bps: number): Rendition => ({
  name: String(width), width, height: Math.round((width * 16) / 9), bitrate_bps, size_bytes: 1, mime: 'video/mp4', url: `/media/${width}`, segments: null, av1: null,
})
const LADDER = [rung(360, 500_000), rung(540, 1_100_000), rung(720, 2_200_000), rung(1080, 4_800_000)]
const PHONE: Conditions = { stageWidth: 390, stageHeight: 784, pixelRatio: 2, lineBps: null, saveData: false }
const pick = (change: Partial<Conditions>) => chooseRendition(LADDER, { ...PHONE, ...change })?.name

test('a phone gets the smallest rendition that fills its stage', () => {
  assert.equal(pick({}), '540')
  assert.equal(pick({ pixelRatio: 1 }), '360')
})

test('a denser screen than two pixels per point asks for no more', () => {
  assert.equal(pick({ pixelRatio: 3.5 }), pick({ pixelRatio: 2 }))
})

test('a large stage gets a larger rendition, and never one that is not there', () => {
  assert.equal(pick({ stageWidth: 800, stageHeight: 1422 }), '1080')
  assert.equal(pick({ stageWidth: 3000, stageHeight: 5333 }), '1080')
})

test('a thin line lowers the choice, down to the lowest', () => {
  assert.equal(pick({ stageWidth: 800, stageHeight: 1422, lineBps: 4_000_000 }), '720')
  assert.equal(pick({ lineBps: 100_000 }), '360')
})

test('saving data halves what is needed', () => {
  assert.equal(pick({ saveData: true }), '360')
})

test('an unsorted ladder and an empty one are understood', () => {
  assert.equal(chooseRendition([...LADDER].reverse(), PHONE)?.name, '540')
  assert.equal(chooseRendition([], PHONE), undefined)
})

test('a wide clip lies inside an upright stage instead of covering it', () => {
  assert.equal(fills(16 / 9, 9 / 16), false)
  assert.equal(fills(9 / 16, 390 / 784), true)
})

test('a stall lowers what we believe of the line, and flowing clips raise it again', () => {
  const line = new Line()
  assert.equal(line.bps({ downlink: 10 }), null)
  assert.equal(line.bps({ downlink: 3 }), 3_000_000)
  line.stalled(1_000_000)
  assert.equal(line.bps({ downlink: 3 }), 600_000)
  line.flowed()
  assert.equal(line.bps(undefined), 750_000)
})

test('a clip that has begun goes on at the highest rung below its own that the line carries', () => {
  const ladder = LADDER.map((one) => ({ bitrate_bps: one.bitrate_bps, segments: { sizes: [1, 1, 1] } }))
  assert.equal(goesOnAt(ladder, 3, 9_000_000), 3)
  assert.equal(goesOnAt(ladder, 3, 4_800_000), 3)
  assert.equal(goesOnAt(ladder, 3, 2_500_000), 2)
  assert.equal(goesOnAt(ladder, 3, 600_000), 0)
  assert.equal(goesOnAt(ladder, 3, 1), 0)
  // Never up: the change would be seen, and what is here would be fetched twice.
  assert.equal(goesOnAt(ladder, 1, 9_000_000), 1)
  // Not past one whose seconds are others.
  const other = ladder.map((one, at) => (at === 1 ? { ...one, segments: { sizes: [1, 1] } } : one))
  assert.equal(goesOnAt(other, 3, 1), 2)
})
