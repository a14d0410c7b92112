import assert from 'node:assert/strict'
import { test } from 'node:test'
import { picture, type Picture } from './thumbhash.ts'

// Of the pictures of tests/unit/media/test_looks.py: slopes from blue to red across and to green down, and one colour.
const WIDE = 'H/gJnZqIiIhwiHiIiHiIiHB1CPh4'
const TALL = '3wcKpBqICIiIiIeIeIhwhQj4eA=='
const RED = 'GnoDBwA9aZmHiIiAiJiIWIiI6sIIWY8E'

function at(found: Picture, x: number, y: number): number[] {
  const place = (Math.floor(y * (found.height - 1)) * found.width + Math.floor(x * (found.width - 1))) * 4
  return [...found.pixels.subarray(place, place + 4)]
}

function near(found: number[], wanted: number[], most: number) {
  for (const [place, value] of wanted.entries()) assert.ok(Math.abs(found[place]! - value) <= most, `${found} is not ${wanted}`)
}

test('the picture has the form of the film', () => {
  const wide = picture(WIDE)!
  assert.deepEqual([wide.width, wide.height], [32, 23])
  const tall = picture(TALL)!
  assert.deepEqual([tall.width, tall.height], [18, 32])
  assert.equal(tall.pixels.length, 18 * 32 * 4)
})

test('the colours are those that the cell saw', () => {
  for (const hash of [WIDE, TALL]) {
    const found = picture(hash)!
    near(at(found, 0, 0), [0, 0, 255, 255], 45)
    near(at(found, 1, 0), [255, 0, 0, 255], 45)
    near(at(found, 0, 1), [0, 255, 255, 255], 45)
    near(at(found, 1, 1), [255, 255, 0, 255], 45)
  }
  near(at(picture(RED)!, 0.5, 0.5), [220, 30, 60, 255], 14)
})

test('what was cut off is no picture', () => {
  for (const length of [0, 4, 8, 20]) assert.equal(picture(WIDE.slice(0, length)), null)
})
