import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aiLabel } from './ai.ts'

test('it is said who says that AI made a clip', () => {
  const label = (made_with_ai: boolean, ai_in_file: 'made' | 'partly' | null) => aiLabel({ made_with_ai, ai_in_file })
  assert.equal(label(false, null), null)
  assert.equal(label(true, null), 'clip.ai')
  assert.equal(label(false, 'made'), 'clip.ai.file')
  assert.equal(label(false, 'partly'), 'clip.ai.file.partly')
  assert.equal(label(true, 'partly'), 'clip.ai.both')
})
