import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digest, parts } from './signing.ts'

test('the challenge is the SHA-256 of exactly the text', async () => {
  assert.equal(await digest('abc'), 'ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0')
  assert.notEqual(await digest('abç'), await digest('abc'))
})

test('only a text of the kind that is asked for is shown in words', () => {
  assert.equal(parts<{ reason: string }>('{"v":1,"kind":"withhold","reason":"x"}', 'withhold')?.reason, 'x')
  assert.equal(parts('{"v":1,"kind":"withhold"}', 'staff-read'), null)
  assert.equal(parts('{"v":2,"kind":"withhold"}', 'withhold'), null)
  assert.equal(parts('nonsense', 'withhold'), null)
})
