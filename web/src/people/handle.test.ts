import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cropSquare } from './crop.ts'
import { handleFault, tidyHandle } from './handle.ts'

test('a handle is tidied before it is judged', () => {
  assert.equal(tidyHandle('  @Mei.Lin '), 'mei.lin')
})

test('each fault has its own word', () => {
  const faults = { ab: 'short', [`a${'b'.repeat(24)}`]: 'long', 'é.tienne': 'letters', '.abc': 'dots', 'abc.': 'dots', 'a..b': 'dots', '12_3': 'no-letter' }
  for (const [handle, fault] of Object.entries(faults)) assert.equal(handleFault(handle), fault, handle)
  for (const handle of ['abc', 'mei.lin', 'kofi_b', '_x_', 'a1.2_3', 'b'.repeat(24)]) assert.equal(handleFault(handle), null, handle)
})

test('the avatar square never leaves the picture', () => {
  assert.deepEqual(cropSquare(400, 200, { x: 0.5, y: 0.5, zoom: 1 }), { x: 100, y: 0, side: 200 })
  assert.deepEqual(cropSquare(400, 200, { x: 0, y: 1, zoom: 2 }), { x: 0, y: 100, side: 100 })
})
