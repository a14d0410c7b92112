import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Loader, type Cut, type Fed } from './loader.ts'

const SIZE = 40_000
const INIT = 1000
const COUNT = 6

/** The bytes of a file from one place to another; those of two files differ. */
const contents = (url: string, from: number, till: number) => Uint8Array.from({ length: till - from }, (_, at) => (from + at) * 31 + url.charCodeAt(url.length - 1))

class Asked {
  readonly body: ReadableStream<Uint8Array>
  private controller!: ReadableStreamDefaultController<Uint8Array>
  private at: number
  readonly url: string
  readonly from: number
  readonly till: number
  broken = false

  constructor(url: string, from: number, till: number, signal: AbortSignal) {
    this.url = url
    this.at = this.from = from
    this.till = till
    this.body = new ReadableStream({ start: (controller) => void (this.controller = controller) })
    signal.addEventListener('abort', () => {
      this.broken = true
      this.controller.error(new DOMException('broken off', 'AbortError'))
    })
  }

  /** So many more bytes come; all that are left by default. */
  async give(count = this.till - this.at): Promise<void> {
    this.controller.enqueue(contents(this.url, this.at, this.at + count))
    this.at += count
    if (this.at === this.till) this.controller.close()
    await settled()
  }
}

class Screen implements Fed {
  offset: number | null
  timeMs = 0
  starved = false
  readonly cuts: readonly Cut[]
  readonly taken: number[] = []
  isLost = false

  constructor(name: string, offset: number) {
    this.offset = offset
    const segments = { url: `/media/${name}`, size_bytes: INIT + SIZE * COUNT, init_bytes: INIT, sizes: Array(COUNT).fill(SIZE), durations_ms: Array(COUNT).fill(1000), codecs: 'avc1,mp4a' }
    this.cuts = [{ name: '540', url: `/media/${name}`, width: 540, height: 960, bitrate_bps: 320_000, size_bytes: segments.size_bytes, segments } as unknown as Cut]
  }

  choose = () => this.cuts[0]!
  take = async (bytes: Uint8Array) => void this.taken.push(...bytes)
  whole = () => undefined
  lost = () => void (this.isLost = true)
}

const settled = () => new Promise((done) => setTimeout(done, 20))

async function loading(films: Screen[], play: (loader: Loader, asked: Asked[]) => Promise<void>): Promise<void> {
  const asked: Asked[] = []
  const before = globalThis.fetch
  globalThis.fetch = async (what, how) => {
    const [, from, last] = /bytes=(\d+)-(\d+)/.exec(new Headers(how!.headers).get('range')!)!
    asked.push(new Asked(String(what), Number(from), Number(last) + 1, how!.signal!))
    return new Response(asked.at(-1)!.body as BodyInit, { status: 206 })
  }
  const loader = new Loader()
  try {
    for (const film of films) loader.add(film)
    await settled()
    await play(loader, asked)
    assert.ok(films.every((film) => !film.isLost))
  } finally {
    for (const film of films) loader.remove(film)
    await settled()
    globalThis.fetch = before
  }
}

test('what a jump displaces goes on from where it was', async () => {
  const [shown, next] = [new Screen('a', 0), new Screen('b', 1)]
  await loading([shown, next], async (loader, asked) => {
    await asked[0]!.give()
    assert.deepEqual([asked[1]!.url, asked[1]!.from], ['/media/b', 0])
    await asked[1]!.give(15_000)
    shown.timeMs = 4000
    loader.look()
    await settled()
    assert.ok(asked[1]!.broken)
    assert.deepEqual([asked[2]!.url, asked[2]!.from], ['/media/a', INIT + 4 * SIZE])
    await asked[2]!.give()
    const rest = asked.find((one) => one.url === '/media/b' && one.from === 15_000)
    assert.ok(rest)
    await rest.give()
    assert.deepEqual(next.taken, [...contents('/media/b', 0, INIT + SIZE)])
  })
})

test('while the first second of the clip on screen comes, nothing else does', async () => {
  const [shown, next] = [new Screen('a', 0), new Screen('b', 1)]
  await loading([shown, next], async (loader, asked) => {
    await asked[0]!.give(5000)
    loader.look()
    await settled()
    assert.equal(asked.length, 1)
    await asked[0]!.give()
    assert.deepEqual(shown.taken, [...contents('/media/a', 0, INIT + SIZE)])
  })
})
