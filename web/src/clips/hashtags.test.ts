import assert from 'node:assert/strict'
import { test } from 'node:test'
import { captionLength, captionParts, hashtags } from './hashtags.ts'

test('hashtags are found in any script, each once, without the sign', () => {
  assert.deepEqual(hashtags('Un #été à #東京, #Été encore'), ['été', '東京'])
})

test('what only looks like a hashtag is left alone', () => {
  assert.deepEqual(hashtags('C#sharp, a#b, ##double, &#39;, x/#y, #_no, # alone'), [])
})

test('digits alone are a hashtag, as for the cell', () => {
  assert.deepEqual(hashtags('#2026 #a_b'), ['2026', 'a_b'])
})

test('a tag of more than 60 characters is plain text', () => {
  assert.deepEqual(hashtags(`#${'x'.repeat(61)}`), [])
  assert.equal(hashtags(`#${'x'.repeat(60)}`).length, 1)
})

test('the parts joined again are the caption', () => {
  const caption = 'a #b\n#c, d#e 🌌 #f'
  assert.equal(captionParts(caption).map((part) => part.text).join(''), caption)
})

test('a surrogate pair counts once', () => {
  assert.equal(captionLength('🌌é'), 2)
})
