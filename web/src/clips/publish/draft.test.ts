import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyOf, newDraft, type Draft } from './draft.ts'

const draft = (change: Partial<Draft>): Draft => ({ ...newDraft(new File([], 'a.mp4'), 'me'), ...change })

test('a film that is kept whole is sent without an edit', () => {
  const body = bodyOf(draft({ pieces: [{ startMs: 0, endMs: 6000 }], trim: { startMs: 0, endMs: 6000 }, coverMs: 900 }), 'u', 6000)
  assert.deepEqual([body.edit, body.trim_start_ms, body.cover_ms], [undefined, undefined, 900])
})

test('pieces that follow each other are one trim, as before there were pieces', () => {
  const pieces = [{ startMs: 1000, endMs: 2000 }, { startMs: 2000, endMs: 5000 }]
  const body = bodyOf(draft({ pieces, trim: null }), 'u', 6000)
  assert.equal(body.edit, undefined)
  assert.deepEqual([body.trim_start_ms, body.trim_end_ms], [1000, 5000])
})

test('pieces in another order are listed, and the cover is counted in what they make', () => {
  const pieces = [{ startMs: 4000, endMs: 6000 }, { startMs: 0, endMs: 2000 }]
  const body = bodyOf(draft({ pieces, trim: null, coverMs: 500, muted: true, layer: 'iVBO' }), 'u', 6000)
  assert.deepEqual(body.edit, { pieces: [{ start_ms: 4000, end_ms: 6000 }, { start_ms: 0, end_ms: 2000 }], is_muted: true, layers: [{ png: 'iVBO' }] })
  assert.deepEqual([body.cover_ms, body.trim_start_ms], [2500, undefined])
})

test('a duet takes all of the first clip, and a stitch the part that was chosen', () => {
  const first = { clipId: 'c', startMs: 300, endMs: 1300 }
  assert.deepEqual(bodyOf(draft({ madeFrom: { ...first, how: 'duet' }, letsQuote: true }), 'u', 1).made_from, { clip_id: 'c', how: 'duet' })
  const body = bodyOf(draft({ madeFrom: { ...first, how: 'stitch' }, letsQuote: true }), 'u', 1)
  assert.deepEqual(body.made_from, { clip_id: 'c', how: 'stitch', start_ms: 300, end_ms: 1300 })
  assert.equal(body.lets_quote, undefined)
})

test('text on a stitch begins with its own part, and that on a duet with the clip', () => {
  const first = { clipId: 'c', startMs: 300, endMs: 1300 }
  const layers = (how: 'duet' | 'stitch') => bodyOf(draft({ madeFrom: { ...first, how }, layer: 'iVBO' }), 'u', 1).edit?.layers
  assert.deepEqual(layers('stitch'), [{ png: 'iVBO', start_ms: 1000 }])
  assert.deepEqual(layers('duet'), [{ png: 'iVBO' }])
})
