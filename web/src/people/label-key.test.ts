import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLabelKey, newLabelKey, toUrlForm } from './label-key.ts'

test('a label key is 32 new bytes in base64url', () => {
  const keys = new Set(Array.from({ length: 50 }, newLabelKey))
  assert.equal(keys.size, 50)
  for (const key of keys) {
    assert.ok(isLabelKey(key), key)
    assert.equal(Buffer.from(key, 'base64url').length, 32)
  }
})

test('the cell may write it in the other form of base64', () => {
  const bytes = Buffer.alloc(32, 0xfb)
  assert.equal(toUrlForm(bytes.toString('base64')), bytes.toString('base64url'))
  for (const odd of ['', 'a', 'a'.repeat(42), 'a'.repeat(44), '='.repeat(43)]) assert.equal(isLabelKey(odd), false)
})
