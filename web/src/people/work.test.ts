import assert from 'node:assert/strict'
import { pbkdf2Sync, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { done, type Work } from './work.ts'

function asked(number: number, tries: number): { work: Work; answer: string } {
  const salt = randomBytes(16)
  const password = Buffer.alloc(4)
  password.writeUInt32BE(number)
  const hash = pbkdf2Sync(password, salt, 50, 32, 'sha256')
  const work = { challenge: 'c', salt: salt.toString('base64url'), told: hash.subarray(0, 16).toString('base64url'), iterations: 50, tries }
  return { work, answer: hash.subarray(16).toString('base64url') }
}

test('the number that was drawn is found, the first and the last', async () => {
  for (const number of [0, 6]) {
    const { work, answer } = asked(number, 7)
    assert.deepEqual(await done(work), { challenge: 'c', answer })
  }
})

test('work that nobody can do is said, and none is done where none is asked for', async () => {
  const { work } = asked(7, 7)
  await assert.rejects(done(work))
  assert.equal(await done({ ...work, tries: 0 }), null)
})
