import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import test from 'node:test'
import { ristretto255, ristretto255_oprf } from '@noble/curves/ed25519.js'
import { type Group, Ristretto } from './ristretto.ts'
import { Slow } from './slow.ts'
import { BadProof, Client } from './voprf.ts'

const Noble = ristretto255.Point
const { voprf } = ristretto255_oprf
const evaluate = (voprf as unknown as { evaluate: (key: Uint8Array, text: Uint8Array) => Uint8Array }).evaluate
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))
const split = (points: Uint8Array): Uint8Array[] => Array.from({ length: points.length / 32 }, (_, i) => points.slice(32 * i, 32 * i + 32))
const pairs = ['home', 'other'].map((info, i) => voprf.deriveKeyPair(new Uint8Array(32).fill(i + 1), Buffer.from(info)))
const KEYS = pairs.map((pair) => pair.publicKey)
const GROUPS: [string, () => Group][] = [['WebAssembly', () => new Ristretto()], ['noble', () => new Slow()]]

/** What two cells with noble answer. */
function answered(points: Uint8Array): Uint8Array {
  const halves = pairs.map((pair) => {
    const { evaluated, proof } = voprf.blindEvaluateBatch(pair.secretKey, pair.publicKey, split(points))
    return Buffer.concat([...evaluated, proof])
  })
  return new Uint8Array(Buffer.concat(halves))
}

const whole = Noble.Fn.toBytes(Noble.Fn.create(pairs.reduce((sum, pair) => sum + Noble.Fn.fromBytes(pair.secretKey), 0n)))
const texts = ['phone:+33612345678', 'email:ana@example.org', ''].map((text) => new Uint8Array(Buffer.from(text)))

for (const [name, make] of GROUPS) {
  test(`${name}: two halves give what the whole key gives`, () => {
    const client = new Client(make(), KEYS)
    for (let round = 0; round < 2; round++) {
      const blinded = client.blind(texts)
      const values = client.finish(texts, blinded, answered(blinded.points))
      assert.deepEqual(values.map(hex), texts.map((text) => hex(evaluate(whole, text))))
    }
  })

  test(`${name}: what was not proved is refused`, () => {
    const client = new Client(make(), KEYS)
    const blinded = client.blind(texts)
    const right = answered(blinded.points)
    client.finish(texts, blinded, right)
    for (const at of [0, 40, 96, 130, 159, 160, 200, right.length - 1]) {
      const wrong = right.slice()
      wrong[at]! ^= 1
      assert.throws(() => client.finish(texts, blinded, wrong), BadProof, String(at))
    }
    assert.throws(() => client.finish(texts, blinded, right.slice(1)), BadProof)
    // Both halves by one cell: the other's key was not used.
    const twice = new Uint8Array(Buffer.concat([right.slice(0, 160), right.slice(0, 160)]))
    assert.throws(() => client.finish(texts, blinded, twice), BadProof)
  })
}

test('what is sent is another each time', () => {
  const client = new Client(new Ristretto(), KEYS)
  assert.notEqual(hex(client.blind(texts).points), hex(client.blind(texts).points))
})

const corpus = `${process.env['LUCIOLE_CORPUS'] ?? '/nowhere'}/tlog-vectors/rfc9497/allVectors.json`
test('the values are those of the RFC', { skip: !existsSync(corpus) && 'LUCIOLE_CORPUS names no folder with the vectors' }, () => {
  const suites = JSON.parse(readFileSync(corpus, 'utf8')) as { identifier: string; mode: number; skSm: string; vectors: { Input: string; Output: string }[] }[]
  const suite = suites.find((one) => one.identifier === 'ristretto255-SHA512' && one.mode === 1)!
  // The RFC's key as the sum of two halves.
  const { Fn } = Noble
  const half = 12345678901234567890n
  const secrets = [half, Fn.sub(Fn.fromBytes(unhex(suite.skSm)), half)].map((key) => Fn.toBytes(key))
  const keys = secrets.map((key) => Noble.BASE.multiply(Fn.fromBytes(key)).toBytes())
  const client = new Client(new Ristretto(), keys)
  let seen = 0
  for (const { Input, Output } of suite.vectors) {
    const inputs = Input.split(',').map(unhex)
    const blinded = client.blind(inputs)
    const answer = secrets.map((secret, i) => {
      const { evaluated, proof } = voprf.blindEvaluateBatch(secret, keys[i]!, split(blinded.points))
      return Buffer.concat([...evaluated, proof])
    })
    assert.deepEqual(client.finish(inputs, blinded, new Uint8Array(Buffer.concat(answer))).map(hex), Output.split(','))
    seen += inputs.length
  }
  assert.equal(seen, 4)
})
