import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Segments } from '../app/api/shapes.ts'
import { FakeManagedSource, managed } from './fake-source.ts'
import { Source } from './source.ts'
import { without, type Span } from './spans.ts'

const SEGMENTS = { url: '/media/a', size_bytes: 8, init_bytes: 0, sizes: [2, 2, 2, 2], durations_ms: [1000, 1000, 1000, 1000], codecs: 'avc1' } as Segments
const second = (at: number) => Uint8Array.of(at, at + 1)

async function fed(play: (source: Source, fake: FakeManagedSource, told: { lost: Span[]; streaming: number; broke: number }) => Promise<void>): Promise<void> {
  const restore = managed()
  try {
    const told = { lost: [] as Span[], streaming: 0, broke: 0 }
    const video = { src: '' } as HTMLVideoElement
    const source = new Source(video, SEGMENTS, { broke: () => (told.broke += 1), streaming: () => (told.streaming += 1), evicted: (lost) => told.lost.push(...lost) })
    const fake = FakeManagedSource.made[0]!
    assert.equal(video.src, 'blob:fake')
    await play(source, fake, told)
    assert.equal(told.broke, 0)
  } finally {
    restore()
  }
}

test('a managed source wants nothing until it says so, and each change is told', async () => {
  await fed(async (source, fake, told) => {
    assert.equal(source.streams, false)
    fake.wants(true)
    assert.ok(source.streams)
    fake.wants(false)
    assert.ok(!source.streams)
    assert.equal(told.streaming, 2)
    source.close()
    fake.wants(true)
    assert.equal(told.streaming, 2)
  })
})

test('what the browser lets go of is told once, while it is open and after its end', async () => {
  await fed(async (source, fake, told) => {
    fake.open()
    await Promise.all([0, 1, 2].map((at) => source.append(second(at))))
    assert.deepEqual(told.lost, [])
    fake.buffer.evict(0, 1)
    assert.deepEqual(told.lost, [[0, 1000]])
    await source.append(second(3))
    source.end()
    assert.equal(fake.readyState, 'ended')
    fake.buffer.evict(2, 3)
    assert.deepEqual(told.lost, [[0, 1000], [2000, 3000]])
    await source.append(second(0))
    assert.equal(told.lost.length, 2)
  })
})

test('a source that got again what was gone ends again, and no shorter than before', async () => {
  await fed(async (source, fake) => {
    fake.open()
    await Promise.all([0, 1, 2, 3].map((at) => source.append(second(at))))
    source.end()
    fake.buffer.evict(0, 4)
    await source.append(second(0))
    // Its last second is not there: an end now would be its end for good.
    assert.deepEqual([fake.readyState, fake.ends, fake.duration], ['open', 1, 4])
    await source.append(second(3))
    source.end()
    assert.deepEqual([fake.readyState, fake.duration], ['ended', 4])
  })
})

test('a segment that is broken off is forgotten by the browser before the next one comes', async () => {
  await fed(async (source, fake) => {
    fake.open()
    void source.append(Uint8Array.of(1, 1, 1))
    source.breakOff()
    await source.append(second(2))
    assert.equal(fake.buffer.aborted, 1)
    assert.deepEqual(fake.buffer.appended.map((one) => [...one]), [[1, 1, 1], [2, 3]])
  })
})

test('spans without others', () => {
  assert.deepEqual(without([[0, 10]], [[2, 3], [5, 12]]), [[0, 2], [3, 5]])
  assert.deepEqual(without([[0, 1], [4, 6]], []), [[0, 1], [4, 6]])
  assert.deepEqual(without([[0, 1]], [[0, 1]]), [])
})
