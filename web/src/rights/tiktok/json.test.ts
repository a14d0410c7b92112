import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyJson, dice, kept } from './archives.ts'
import { JsonReader, readJson, type Json } from './json.ts'
import { MOST_STRING_CHARS } from './limits.ts'
import { ArchiveRefused } from './refused.ts'

function read(...pieces: string[]): Json {
  const reader = new JsonReader()
  for (const piece of pieces) reader.push(piece)
  return reader.end()
}

function plainly(value: Json): unknown {
  return JSON.parse(JSON.stringify(value))
}

test('any JSON in pieces of any size is read as JSON.parse reads it', () => {
  for (let seed = 1; seed <= 400; seed += 1) {
    const roll = dice(seed)
    const text = JSON.stringify(anyJson(roll), null, seed % 3)
    const pieces: string[] = []
    for (let at = 0; at < text.length; ) {
      const length = 1 + Math.floor(roll() * 9)
      pieces.push(text.slice(at, at + length))
      at += length
    }
    // A number that no double holds exactly is text; as text it is the one that was written.
    const wanted = JSON.parse(text.replace(/(?<=^|[[:,\s])7234567890123457000(?=$|[\],}\s])/g, '"7234567890123457000"'))
    assert.deepEqual(plainly(read(...pieces)), wanted, `seed ${seed}`)
  }
})

test('what is no JSON is refused, wherever it is cut', () => {
  for (const text of ['', ' ', '{', '[1,]', '{"a"}', '{"a":1,}', '{a:1}', '[1 2]', '01', '"\n"', '"\\x"', 'nul', '1 2', '[}', '{]', '"a', '\u00a01', "{'a':1}"]) {
    assert.throws(() => read(text), new ArchiveRefused('archive-not-json'), text)
    assert.throws(() => read(...text), new ArchiveRefused('archive-not-json'), `${text} in pieces`)
  }
})

test('a key that stands twice loses nothing', () => {
  const reader = new JsonReader()
  reader.push('{"a":{"l":[1],"t":"x","n":null},"a":{"l":[2,3],"t":"y","n":"z","m":{"k":1}},"b":1,"b":1}')
  assert.deepEqual(plainly(reader.end()), { a: { l: [1, 2, 3], t: ['x', 'y'], n: 'z', m: { k: 1 } }, b: 1 })
  assert.deepEqual(reader.twice, ['a', 'b'])
})

test('a key of JavaScript itself is a key like any other', () => {
  const value = read('{"__proto__":{"polluted":1},"constructor":2}')
  assert.deepEqual(Object.keys(value as object), ['__proto__', 'constructor'])
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
})

test('numbers of 19 digits keep their last ones', () => {
  assert.deepEqual(plainly(read('[7234567890123456789, 12, 1e21]')), ['7234567890123456789', 12, 1e21])
})

test('depth, length of a text and number of bytes have an end', async () => {
  assert.throws(() => read('['.repeat(100)), new ArchiveRefused('archive-too-deep'))
  assert.throws(() => read(`"${'x'.repeat(MOST_STRING_CHARS + 1)}"`), new ArchiveRefused('archive-too-large'))
  assert.throws(() => read(`"${'x'.repeat(MOST_STRING_CHARS + 1)}`), new ArchiveRefused('archive-too-large'))
  await assert.rejects(readJson(kept('g3.json').stream(), 1000), new ArchiveRefused('archive-too-large'))
})

test('half characters and a byte order mark pass', async () => {
  const { value } = await readJson(new Blob(['\ufeff["\\ud83d", "é', '"]']).stream(), 1000)
  assert.deepEqual(value, ['\ud83d', 'é'])
})
