import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newSigningKey, suite } from './suite.ts'

/** A browser that makes no key the first times that it is asked. */
async function failing<T>(times: number, act: () => Promise<T>): Promise<T> {
  const subtle = crypto.subtle as unknown as { generateKey: (...words: unknown[]) => Promise<unknown> }
  const real = subtle.generateKey
  let left = times
  subtle.generateKey = (...words) => (left-- > 0 ? Promise.reject(new DOMException('not this time', 'OperationError')) : real.apply(subtle, words))
  try {
    return await act()
  } finally {
    subtle.generateKey = real
  }
}

test('where a browser makes no key, the next one is as good', async () => {
  assert.equal((await failing(2, newSigningKey)).publicKey.length, 32)
  const { hpke } = await suite()
  assert.ok(await failing(2, () => hpke.generateKeyPair()))
})

test('a browser that makes no keys at all is not asked for ever', async () => {
  await assert.rejects(failing(50, newSigningKey), { name: 'OperationError' })
})
