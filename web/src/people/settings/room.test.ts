import assert from 'node:assert/strict'
import { test } from 'node:test'
import { soon } from './room.ts'

test('what is left is said from four fifths on, and never where there is no limit', () => {
  const room = { stored_bytes: 79, most_bytes: 100, clips_of_the_day: 4, most_clips_a_day: 5 }
  assert.deepEqual(soon(room), { bytes: null, clips: 1 })
  assert.deepEqual(soon({ ...room, stored_bytes: 80 }), { bytes: 20, clips: 1 })
  assert.deepEqual(soon({ ...room, stored_bytes: 120 }), { bytes: 0, clips: 1 })
  assert.deepEqual(soon({ ...room, most_bytes: null, most_clips_a_day: null }), { bytes: null, clips: null })
})
