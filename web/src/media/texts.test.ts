import assert from 'node:assert/strict'
import { test } from 'node:test'
import { duetSize, HALF, isShown, layerSize, lines, MOST_TEXTS, newText } from './texts.ts'

const width = (text: string) => text.length

test('words are broken into lines that fit, and none is lost', () => {
  assert.deepEqual(lines('the sea at night', 8, width), ['the sea', 'at night'])
  assert.deepEqual(lines('one\ntwo', 8, width), ['one', 'two'])
  assert.deepEqual(lines('incomprehensible a', 4, width), ['incomprehensible', 'a'])
})

test('a text without words is not there', () => {
  assert.ok(!isShown(newText(0)))
  assert.ok(isShown({ ...newText(0), words: 'sea' }))
  assert.ok(Array.from({ length: MOST_TEXTS }, (_, at) => newText(at)).every((text) => text.y < 1))
})

test('the picture has the shape of the film and no side that the cell refuses', () => {
  assert.deepEqual(layerSize({ width: 720, height: 1280 }, 1080), { width: 1080, height: 1920 })
  assert.deepEqual(layerSize({ width: 90, height: 160 }, 540), { width: 540, height: 960 })
  const wide = layerSize({ width: 4000, height: 1000 }, 1080)
  assert.deepEqual(wide, { width: 1920, height: 480 })
})

test('over a duet the picture is as wide as both halves', () => {
  assert.deepEqual(layerSize(HALF, 540), { width: 540, height: 960 })
  assert.deepEqual(duetSize(540), { width: 1080, height: 960 })
})
