import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aiLabel, credentialsLine } from './ai.ts'

test('it is said who says that AI made a clip', () => {
  const label = (made_with_ai: boolean, ai_in_file: 'made' | 'partly' | null) => aiLabel({ made_with_ai, ai_in_file, credentials: null })
  assert.equal(label(false, null), null)
  assert.equal(label(true, null), 'clip.ai')
  assert.equal(label(false, 'made'), 'clip.ai.file')
  assert.equal(label(false, 'partly'), 'clip.ai.file.partly')
  assert.equal(label(true, 'partly'), 'clip.ai.both')
})

test('what a file says without proof is told as that, beside no word of the author', () => {
  const credentials = { state: 'invalid', code: 'claimSignature.mismatch', signer: null, says_ai: 'made' } as const
  assert.equal(aiLabel({ made_with_ai: false, ai_in_file: null, credentials }), 'clip.ai.unproven')
  assert.equal(aiLabel({ made_with_ai: true, ai_in_file: null, credentials }), 'clip.ai')
})

test('one sentence says what credentials are worth', () => {
  const line = (state: 'trusted' | 'valid' | 'invalid' | 'unchecked', signer: string | null) => credentialsLine({ credentials: { state, code: null, signer, says_ai: null } })
  assert.equal(credentialsLine({ credentials: null }), null)
  assert.equal(line('trusted', 'Camera Works'), 'clip.credentials.trusted')
  assert.equal(line('valid', 'Camera Works'), 'clip.credentials.valid')
  assert.equal(line('valid', null), 'clip.credentials.valid.nameless')
  assert.equal(line('invalid', 'Camera Works'), 'clip.credentials.invalid')
  assert.equal(line('unchecked', null), 'clip.credentials.unchecked')
})
