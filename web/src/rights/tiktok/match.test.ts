import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kept } from './archives.ts'
import { numberTime, tiktokLink, videoNumber, when } from './field.ts'
import { matchFiles, nameTime } from './match.ts'
import { offersOf } from './offers.ts'
import { readArchive } from './read.ts'

const file = (name: string, modifiedMs: number | null = null) => ({ name, modifiedMs })
const stamp = (ms: number) => new Date(ms).toISOString().slice(0, 19).replace('T', ' ').replaceAll(':', '.')

test('a file finds its post by number, by time, by the time in its number, in another zone, by its day, by when it was written', async () => {
  const { posts } = offersOf(await readArchive(kept('g1.json')))
  const at = (index: number) => posts[index]?.when?.ms ?? 0
  const later = BigInt(at(2) / 1000 - 90) << 32n
  const files = [
    file('nothing in common.mp4'),
    file(`video (${posts[0]?.number}).mp4`),
    file(`${stamp(at(1))}.mp4`),
    file(`${later + 77n}.mp4`),
    file(`VID_${stamp(at(3) + 5.5 * 3_600_000).replace(/[-.]/g, '').replace(' ', '_')}.mp4`),
    file('download.mp4', at(4)),
  ]
  const matches = matchFiles(posts, files)
  assert.deepEqual(matches.map(({ post, file: at, how }) => [post, at, how]).sort(), [[0, 1, 'number'], [1, 2, 'time'], [2, 3, 'time'], [3, 4, 'time'], [4, 5, 'written']])
})

test('where two could be meant the person is asked', async () => {
  const { posts } = offersOf(await readArchive(kept('g1.json')))
  const name = `${stamp(posts[1]?.when?.ms ?? 0)}.mp4`
  assert.deepEqual(matchFiles(posts, [file(name), file(name)]), [])
  // What the person has said stands, and leaves the other one free.
  const given = [{ post: 0, file: 0, how: 'person' as const }]
  assert.deepEqual(matchFiles(posts, [file(name), file(name)], given), [...given, { post: 1, file: 1, how: 'time' }])
})

test('many files are matched in one go', () => {
  const posts = Array.from({ length: 1500 }, (_, id) => ({ id, when: { ms: 1_600_000_000_000 + id * 86_400_000, isUtc: false }, number: null, caption: '', audience: 'only-me' as const, madeWithAi: false }))
  const files = posts.map((post) => file(new Date(post.when.ms).toISOString().slice(0, 10)))
  assert.equal(matchFiles(posts, files).length, 1500)
})

test('times are found in the names that phones and tools give', () => {
  const day = Date.UTC(2024, 4, 6)
  const time = Date.UTC(2024, 4, 6, 7, 8, 9)
  for (const name of ['2024-05-06 07.08.09.mp4', '2024-05-06-07-08-09.mp4', 'VID_20240506_070809.mp4', '20240506070809.mp4', '2024-05-06T07:08:09Z.mp4']) {
    assert.deepEqual(nameTime(name), { ms: time, isDay: false }, name)
  }
  assert.deepEqual(nameTime('clip 2024-05-06.mp4'), { ms: day, isDay: true })
  for (const name of ['7234567890123456789.mp4', '2024-13-06.mp4', '2024-02-31.mp4', 'IMG_0001.MOV', '99999999.mp4']) assert.equal(nameTime(name), null, name)
})

test('dates with and without a zone, and those that are none', () => {
  assert.deepEqual(when('2024-05-06 07:08:09'), { ms: Date.UTC(2024, 4, 6, 7, 8, 9), isUtc: false })
  assert.deepEqual(when('2024-05-06 07:08:09 UTC'), { ms: Date.UTC(2024, 4, 6, 7, 8, 9), isUtc: true })
  assert.deepEqual(when(1_700_000_000), { ms: 1_700_000_000_000, isUtc: true })
  for (const odd of ['N/A', '', '2024-02-31 00:00:00', '2024-05-06 25:00:00', 'yesterday', null, [], {}]) assert.equal(when(odd), null)
})

test('only links to TikTok come along, without what follows the question mark', () => {
  assert.equal(tiktokLink('https://www.tiktok.com/@a/video/7?_token=x#y'), 'https://www.tiktok.com/@a/video/7')
  assert.equal(tiktokLink('http://vm.tiktok.com/ZM1/'), 'https://vm.tiktok.com/ZM1/')
  for (const odd of ['https://tiktok.com.example.org/', 'https://nottiktok.com/', 'https://a@tiktok.com/', 'https://tiktok.com:8443/', 'javascript:1', 'ftp://tiktok.com/', 'N/A']) {
    assert.equal(tiktokLink(odd), null, odd)
  }
})

test('a video number tells when it was given', () => {
  const number = videoNumber('https://www.tiktokv.com/share/video/7234567890123456789/')
  assert.equal(number, '7234567890123456789')
  assert.equal(new Date(numberTime('7234567890123456789') ?? 0).toISOString(), '2023-05-18T16:58:18.000Z')
})
