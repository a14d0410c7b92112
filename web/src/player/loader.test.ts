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

function cut(name: string, bitrate_bps = 320_000, count = COUNT): Cut {
  const segments = { url: `/media/${name}`, size_bytes: INIT + SIZE * count, init_bytes: INIT, sizes: Array(count).fill(SIZE), durations_ms: Array(count).fill(1000), codecs: 'avc1,mp4a' }
  return { name: '540', url: `/media/${name}`, width: 540, height: 960, bitrate_bps, size_bytes: segments.size_bytes, segments } as unknown as Cut
}

class Screen implements Fed {
  offset: number | null
  timeMs = 0
  blank = true
  streams = true
  waits = false
  cuts: readonly Cut[]
  taken: number[] = []
  /** How much it had taken when a segment was broken off. */
  readonly broken: number[] = []
  ended = 0
  isLost = false

  constructor(name: string, offset: number) {
    this.offset = offset
    this.cuts = [cut(name)]
  }

  choose = (_: number | null) => this.cuts[0]!
  take = async (bytes: Uint8Array) => void this.taken.push(...bytes)
  breakOff = () => void this.broken.push(this.taken.length)
  ends = () => void (this.ended += 1)
  lost = () => void (this.isLost = true)
}

const settled = () => new Promise((done) => setTimeout(done, 20))

async function loading(films: Screen[], play: (loader: Loader, asked: Asked[], line: { bps: number }) => Promise<void>, bps = 3_000_000): Promise<void> {
  const asked: Asked[] = []
  const before = globalThis.fetch
  globalThis.fetch = async (what, how) => {
    const [, from, last] = /bytes=(\d+)-(\d+)/.exec(new Headers(how!.headers).get('range')!)!
    asked.push(new Asked(String(what), Number(from), Number(last) + 1, how!.signal!))
    return new Response(asked.at(-1)!.body as BodyInit, { status: 206 })
  }
  const loader = new Loader()
  // What is measured here is the machine, which others keep busy.
  const line = { bps }
  Object.defineProperties(loader.meter, { bps: { get: () => line.bps }, waitMs: { value: 70 }, varies: { value: 0 }, knows: { value: true } })
  try {
    for (const film of films) loader.add(film)
    await settled()
    await play(loader, asked, line)
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

const whole = (url: string) => [...contents(url, 0, INIT + SIZE)]
const segment = (url: string, at: number) => [...contents(url, INIT + at * SIZE, INIT + (at + 1) * SIZE)]

test('a clip that waits gets the bytes of its second as they come, one that is next gets it whole', async () => {
  const [shown, next] = [new Screen('a', 0), new Screen('b', 1)]
  await loading([shown, next], async (_, asked) => {
    await asked[0]!.give(5000)
    assert.equal(shown.taken.length, 5000)
    await asked[0]!.give(20_000)
    assert.equal(shown.taken.length, 25_000)
    await asked[0]!.give()
    assert.deepEqual(shown.taken, whole('/media/a'))
    await asked[1]!.give(30_000)
    assert.equal(next.taken.length, 0)
    await asked[1]!.give()
    assert.deepEqual(next.taken, whole('/media/b'))
  })
})

test('a picture that stopped goes on with a whole second, not with bits of one', async () => {
  const shown = new Screen('a', 0)
  await loading([shown], async (loader, asked) => {
    await asked[0]!.give()
    ;[shown.blank, shown.timeMs] = [false, 1000]
    loader.look()
    await settled()
    await asked[1]!.give(30_000)
    assert.equal(shown.taken.length, INIT + SIZE)
    await asked[1]!.give()
    assert.equal(shown.taken.length, INIT + 2 * SIZE)
  })
})

test('who swipes to a clip whose second is on its way gets what came of it', async () => {
  const [shown, next] = [new Screen('a', 0), new Screen('b', 1)]
  await loading([shown, next], async (loader, asked) => {
    await asked[0]!.give()
    await asked[1]!.give(15_000)
    assert.equal(next.taken.length, 0)
    ;[shown.offset, next.offset] = [-1, 0]
    loader.look()
    await settled()
    await asked[1]!.give(5000)
    assert.equal(next.taken.length, 20_000)
    await asked[1]!.give()
    assert.deepEqual(next.taken, whole('/media/b'))
  })
})

test('a second of which a part was given is broken off by a jump, and given whole when it is needed', async () => {
  const shown = new Screen('a', 0)
  await loading([shown], async (loader, asked) => {
    await asked[0]!.give(10_000)
    shown.timeMs = 4000
    loader.look()
    await settled()
    assert.deepEqual(shown.broken, [10_000])
    await asked[1]!.give()
    await asked[2]!.give()
    assert.deepEqual(shown.taken.slice(10_000), [...contents('/media/a', 0, INIT), ...segment('/media/a', 4)])
    shown.taken = []
    shown.timeMs = 0
    loader.look()
    await settled()
    const rest = asked[asked.length - 1]!
    assert.equal(rest.url, '/media/a')
    await rest.give()
    assert.deepEqual(shown.taken.slice(-SIZE), segment('/media/a', 0))
  })
})

test('what the browser let go of is fetched again when it is needed', async () => {
  const shown = new Screen('a', 0)
  await loading([shown], async (loader, asked) => {
    for (let at = 0; at < COUNT; at += 1) {
      shown.timeMs = at * 1000
      loader.look()
      await settled()
      await asked[at]!.give()
    }
    assert.equal(shown.ended, 1)
    shown.taken = []
    // A crumb changes nothing; what ends where the last second begins would have taken of its sound.
    loader.evicted(shown, [[5500, 5505]])
    loader.evicted(shown, [[80, 4850]])
    // It is about to begin again.
    shown.timeMs = 5900
    loader.look()
    await settled()
    assert.deepEqual([asked.length, asked[COUNT]!.from], [COUNT + 1, INIT])
    await asked[COUNT]!.give()
    assert.deepEqual(shown.taken, segment('/media/a', 0))
    assert.equal(shown.ended, 2)
  })
})

test('where the browser wants nothing for later, the clip on screen has what it needs and no other gets any', async () => {
  const [shown, next] = [new Screen('a', 0), new Screen('b', 1)]
  shown.streams = next.streams = false
  await loading([shown, next], async (loader, asked) => {
    await asked[0]!.give()
    shown.timeMs = 950
    loader.look()
    await settled()
    assert.deepEqual(asked.map((one) => [one.url, one.from]), [['/media/a', 0], ['/media/a', INIT + SIZE]])
    await asked[1]!.give()
    assert.ok(asked.every((one) => one.url === '/media/a'))
    next.streams = true
    loader.look()
    await settled()
    assert.ok(asked.some((one) => one.url === '/media/b'))
  })
})

test('a picture that stopped gets more until it goes on, however much is ahead of it', async () => {
  const shown = new Screen('a', 0)
  await loading([shown], async (loader, asked) => {
    await asked[0]!.give()
    // All of a second is ahead, and the browser does not go on with it.
    shown.waits = true
    loader.look()
    await settled()
    assert.deepEqual(asked.map((one) => one.from), [0, INIT + SIZE])
    await asked[1]!.give()
    assert.deepEqual(asked.map((one) => one.from), [0, INIT + SIZE, INIT + 2 * SIZE])
    shown.waits = false
    await asked[2]!.give()
    assert.equal(asked.length, 3)
  })
})

/** A clip with three rungs, the highest chosen first; below what the line carries it is the next time. */
function laddered(name: string, offset: number): Screen {
  const screen = new Screen(name, offset)
  screen.cuts = [cut(`${name}1`, 200_000), cut(`${name}2`, 1_000_000), cut(`${name}3`, 4_000_000)]
  screen.choose = (bps) => [...screen.cuts].reverse().find((one) => bps === null || one.bitrate_bps <= bps) ?? screen.cuts[0]!
  return screen
}

test('a clip that has begun goes on lower where the line fails, with what that rung needs first', async () => {
  const shown = laddered('a', 0)
  await loading([shown], async (loader, asked, line) => {
    await asked[0]!.give()
    assert.deepEqual(shown.taken, whole('/media/a3'))
    shown.taken = []
    line.bps = 1_300_000
    shown.timeMs = 1000
    loader.look()
    await settled()
    assert.deepEqual([asked[1]!.url, asked[1]!.from], ['/media/a2', INIT + SIZE])
    await asked[1]!.give()
    await asked[2]!.give()
    assert.deepEqual(shown.taken, [...contents('/media/a2', 0, INIT), ...segment('/media/a2', 1)])
    // It does not go up again.
    line.bps = 20_000_000
    shown.timeMs = 2000
    loader.look()
    await settled()
    assert.deepEqual([asked[3]!.url, asked[3]!.from], ['/media/a2', INIT + 2 * SIZE])
  }, 6_000_000)
})

for (const [bps, name] of [[6_000_000, 'b3'], [1_500_000, 'b2'], [300_000, 'b1']] as const) {
  test(`a clip that begins on a line of ${bps / 1e6} Mbit/s gets what that carries`, async () => {
    // On screen is one of which nothing more is to come.
    const [shown, next] = [new Screen('a', 0), laddered('b', 1)]
    shown.cuts = [cut('a', 320_000, 1)]
    await loading([shown, next], async (_, asked, line) => {
      line.bps = bps
      await asked[0]!.give()
      assert.equal(asked[1]!.url, `/media/${name}`)
    })
  })
}

test('a second beside one that the browser let go of comes again, too: of its sound a part may be gone', async () => {
  const shown = new Screen('a', 0)
  await loading([shown], async (loader, asked) => {
    for (let at = 0; at < 3; at += 1) {
      shown.timeMs = at * 1000
      loader.look()
      await settled()
      await asked[at]!.give()
    }
    loader.evicted(shown, [[0, 1000]])
    shown.timeMs = 1000
    loader.look()
    await settled()
    assert.deepEqual(asked.slice(3).map((one) => one.from), [INIT + SIZE])
  })
})
