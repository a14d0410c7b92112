import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { kept } from './archives.ts'
import { readArchive, videosIn } from './read.ts'
import { ArchiveRefused, type ArchiveFault } from './refused.ts'
import { entries, open } from './zip.ts'

const REFUSED: Record<string, ArchiveFault> = {
  'bad/bomb.zip': 'archive-too-large',
  'bad/cut.zip': 'archive-damaged',
  'bad/deep.json': 'archive-too-deep',
  'bad/encrypted.zip': 'archive-encrypted',
  'bad/lies-about-its-size.zip': 'archive-damaged',
  'bad/lies-about-its-sum.zip': 'archive-damaged',
  'bad/not-tiktok.json': 'archive-not-tiktok',
  'bad/number.json': 'archive-not-json',
  'bad/photos.zip': 'archive-without-data',
  'bad/trailing.json': 'archive-not-json',
  'bad/two-data-files.zip': 'archive-two-data-files',
  'bad/without-end.json': 'archive-not-json',
  'text-en.zip': 'archive-of-text',
  'text-fr.zip': 'archive-of-text',
  'text-nl.zip': 'archive-of-text',
}

for (const [name, code] of Object.entries(REFUSED)) {
  test(`${name} is refused as ${code}`, () => assert.rejects(readArchive(kept(name)), new ArchiveRefused(code)))
}

test('each refusal has words in both languages', () => {
  for (const language of ['en', 'fr']) {
    const words = JSON.parse(readFileSync(new URL(`../../app/i18n/errors.${language}.json`, import.meta.url), 'utf8')) as Record<string, unknown>
    for (const code of Object.values(REFUSED)) assert.ok(words[code], `${code} in ${language}`)
  }
})

test('a text file out of the text variant is told from any other file', async () => {
  await assert.rejects(readArchive(new File(['Date: 2024'], 'Watch History.txt')), new ArchiveRefused('archive-of-text'))
  await assert.rejects(readArchive(new File([new Uint8Array([1, 2, 3])], 'a.bin')), new ArchiveRefused('archive-not-json'))
  await assert.rejects(readArchive(new File([], 'user_data.json')), new ArchiveRefused('archive-not-json'))
})

test('the same archive is read packed, stored in a folder, and as it is', async () => {
  const [whole, ...others] = await Promise.all(['g3.json', 'g3.zip', 'stored.zip'].map((name) => readArchive(kept(name))))
  for (const other of others) assert.deepEqual(other, whole)
})

test('three ways to be empty are an archive all the same', async () => {
  const { sections, generation } = await readArchive(kept('empty.json'))
  assert.deepEqual([sections.map((section) => [section.id, section.count]), generation], [[['posts', 0]], null])
})

test('cut anywhere, a ZIP is refused and never hangs', async () => {
  const whole = readFileSync(new URL('../../../../tests/tiktok/g3.zip', import.meta.url))
  for (let length = 0; length < whole.length; length += 37) await assert.rejects(readArchive(new Blob([whole.subarray(0, length)])), ArchiveRefused)
})

test('a ZIP with any byte changed is read as it was or refused', async () => {
  const whole = readFileSync(new URL('../../../../tests/tiktok/g3.zip', import.meta.url))
  const wanted = await readArchive(new Blob([whole]))
  for (let at = 0; at < whole.length; at += 11) {
    const changed = Uint8Array.from(whole)
    changed[at] = (changed[at] ?? 0) ^ 0x41
    await readArchive(new Blob([changed])).then(
      (read) => assert.deepEqual(read, wanted),
      (problem: unknown) => assert.ok(problem instanceof ArchiveRefused, String(problem)),
    )
  }
})

test('what follows the limit is never unpacked', async () => {
  const file = kept('bad/bomb.zip')
  const [entry] = await entries(file)
  assert.ok(entry)
  let read = 0
  const stream = (await open(file, entry, entry.sizeBytes)).getReader()
  await assert.rejects(async () => {
    for (let piece = await stream.read(); !piece.done; piece = await stream.read()) read += piece.value.byteLength
  }, new ArchiveRefused('archive-too-large'))
  assert.ok(read < entry.packedBytes * 300, `${read} bytes`)
})

test('videos are found among files and in ZIPs, and unpacked only when they are wanted', async () => {
  const film = new File(['film'], '2024-05-06 07.08.09.mp4', { type: 'video/mp4', lastModified: 5 })
  const { videos, passed } = await videosIn([film, kept('bad/photos.zip'), new File(['x'], 'notes.txt', { type: 'text/plain' })], 1000)
  assert.deepEqual([videos.map((video) => [video.name, video.sizeBytes, video.modifiedMs]), passed], [[[film.name, 4, 5]], 2])
  assert.equal(await videos[0]?.open(), film)
})
