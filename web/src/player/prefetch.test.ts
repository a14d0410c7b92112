import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { aheadOf, fetchMs, nextFetch, segmentAt, starterSize, turnOf, type Fetch, type Film, type Line } from './prefetch.ts'

const QUICK: Line = { bps: 5_000_000, waitMs: 70, varies: 0, saveData: false }
const SLOW: Line = { bps: 900_000, waitMs: 200, varies: 0, saveData: false }
const film = (offset: number, has: boolean[], atMs = 0, size = 120_000): Film => ({
  offset, sizes: has.map(() => size), durationsMs: has.map(() => 1000), has, atMs,
})
const none = () => Array.from({ length: 8 }, () => false)
const first = (count: number) => none().map((_, at) => at < count)
const mayLeave = () => 0.6
const stays = () => 0.02
const asks = (films: Film[], line = QUICK, leave: (ms: number) => number = mayLeave) => nextFetch(films, line, leave)

test('the clip on screen comes before all others while nothing of it is here', () => {
  const all = [-1, 0, 1, 2].map((offset) => film(offset, none()))
  assert.deepEqual(asks(all), { offset: 0, segment: 0, urgent: true })
})

test('once it plays the next clip begins, then the one after it, then the one before', () => {
  const at = (next: number, far: number, back: number) => asks([film(0, first(1)), film(1, first(next)), film(2, first(far)), film(-1, first(back))])
  assert.deepEqual(at(0, 0, 0), { offset: 1, segment: 0, urgent: false })
  assert.deepEqual(at(1, 0, 0), { offset: 2, segment: 0, urgent: false })
  assert.deepEqual(at(1, 1, 0), { offset: -1, segment: 0, urgent: false })
  assert.ok('inMs' in at(1, 1, 1))
})

test('on a quick line the next second of the clip on screen is fetched just in time', () => {
  const others = [film(1, first(1)), film(2, first(1))]
  const early = asks([film(0, first(1), 100), ...others])
  assert.ok('inMs' in early && early.inMs > 100 && early.inMs < 900)
  assert.deepEqual(asks([film(0, first(1), 700), ...others]), { offset: 0, segment: 1, urgent: true })
})

test('on a tight line more is kept ahead of whoever stays, and nothing of whoever leaves', () => {
  const films = [film(0, first(3)), film(1, first(3))]
  assert.deepEqual(asks(films, { ...SLOW, bps: 1_200_000 }, stays), { offset: 0, segment: 3, urgent: false })
  assert.ok('inMs' in asks(films, { ...SLOW, bps: 1_200_000 }, () => 0.99))
})

test('on a line that varies more is kept ahead of whoever stays', () => {
  const films = [film(0, first(3)), film(1, first(1)), film(2, first(1))]
  const line = { ...QUICK, varies: 0.6 }
  assert.deepEqual(asks(films, line, stays), { offset: 0, segment: 3, urgent: false })
  assert.ok('inMs' in asks(films, line, () => 0.95))
  assert.ok('inMs' in asks(films, { ...line, saveData: true }, stays))
})

test('who is about to swipe gets the beginning of the next clip first', () => {
  const films = [film(0, first(1), 800), film(1, none())]
  assert.deepEqual(asks(films, QUICK, () => 0.9), { offset: 1, segment: 0, urgent: false })
  assert.deepEqual(asks(films, QUICK, () => 0.1), { offset: 0, segment: 1, urgent: true })
})

test('saving data, only the clip on screen and the beginning of the next one come', () => {
  const line = { ...QUICK, saveData: true }
  assert.deepEqual(asks([film(0, first(1)), film(1, none()), film(2, none())], line), { offset: 1, segment: 0, urgent: false })
  assert.ok('inMs' in asks([film(0, first(1)), film(1, first(1)), film(2, none()), film(-1, none())], line))
})

test('on a slow line something of the clip after the next comes before more of the next', () => {
  const line = { ...QUICK, bps: 1_800_000, waitMs: 150 }
  const at = (next: number, far: number) => asks([film(0, first(8)), film(1, first(next)), film(2, first(far))], line)
  assert.ok(starterSize(film(1, first(1)), line) > 1)
  assert.deepEqual(at(0, 0), { offset: 1, segment: 0, urgent: false })
  assert.deepEqual(at(1, 0), { offset: 2, segment: 0, urgent: false })
  assert.deepEqual(at(1, 1), { offset: 1, segment: 1, urgent: false })
})

test('more of the next clip waits where the clip on screen would need its own meanwhile', () => {
  const line = { ...QUICK, bps: 2_000_000, waitMs: 120 }
  const at = (playedMs: number) => asks([film(0, first(2), playedMs, 94_000), film(1, first(1), 0, 191_000), film(2, first(1))], line)
  assert.deepEqual(at(100), { offset: 1, segment: 1, urgent: false })
  assert.deepEqual(at(600), { offset: 0, segment: 2, urgent: false })
})

test('on a tight line the next clip begins once what is here lasts for both', () => {
  const line = { ...QUICK, bps: 2_000_000, waitMs: 120 }
  const at = (playedMs: number) => asks([film(0, first(2), playedMs, 165_000), film(1, none(), 0, 85_000)], line, (ms) => ms / 10_000)
  assert.deepEqual(at(1100), { offset: 0, segment: 2, urgent: true })
  assert.deepEqual(at(600), { offset: 1, segment: 0, urgent: false })
})

const begins = (fetch: Fetch, ...underWay: [number | null, number][]) => turnOf(fetch, false, underWay.map(([offset, leftBytes]) => ({ offset, leftBytes })), QUICK).begins

test('segments of one clip come one after the other, and the next is asked for while the last bytes come', () => {
  const soon = { offset: 0, segment: 1, urgent: true }
  assert.ok(begins(soon))
  assert.ok(!begins(soon, [0, 100_000]))
  assert.ok(begins(soon, [0, 20_000]))
  assert.ok(begins({ ...soon, urgent: false }, [1, 20_000]))
  assert.ok(!begins({ ...soon, urgent: false }, [1, 100_000]))
  assert.ok(!begins(soon, [0, 20_000], [1, 0]))
})

test('what the clip on screen needs soon goes beside the next one, and in the place of those that were left', () => {
  const soon = { offset: 0, segment: 1, urgent: true }
  const [next, left, gone] = [{ offset: 1, leftBytes: 90_000 }, { offset: -1, leftBytes: 90_000 }, { offset: null, leftBytes: 90_000 }]
  assert.deepEqual(turnOf(soon, false, [next], QUICK), { begins: true, displaced: [] })
  assert.deepEqual(turnOf(soon, false, [next, left], QUICK), { begins: true, displaced: [left] })
  assert.deepEqual(turnOf(soon, false, [left, gone], QUICK), { begins: true, displaced: [left, gone] })
  assert.deepEqual(turnOf({ ...soon, urgent: false }, false, [left], QUICK), { begins: false, displaced: [] })
})

test('a clip on screen with nothing to show has the line for itself', () => {
  const waited = { offset: 0, segment: 4, urgent: true }
  const all = [{ offset: 0, leftBytes: 90_000 }, { offset: 1, leftBytes: 90_000 }]
  assert.deepEqual(turnOf(waited, true, all, QUICK), { begins: true, displaced: all })
})

test('on a slow line a clip needs more of its beginning', () => {
  assert.equal(starterSize(film(1, none()), QUICK), 1)
  assert.ok(starterSize(film(1, none()), SLOW) > 1)
  assert.equal(starterSize(film(1, [false]), SLOW), 1)
})

test('after a jump the segments from there come, and a gap is not counted as here', () => {
  const jumped = film(0, first(2), 5200)
  assert.deepEqual(aheadOf(jumped), { aheadMs: 0, missing: 5 })
  assert.deepEqual(asks([jumped]), { offset: 0, segment: 5, urgent: true })
  assert.equal(segmentAt([1000, 1000], 5000), 1)
})

test('after its end a clip begins again: what is missing of its beginning comes just before', () => {
  const late = (playedMs: number) => film(0, none().map((_, at) => at > 0), playedMs)
  assert.deepEqual(aheadOf(late(7500)), { aheadMs: 500, missing: 0 })
  assert.ok('inMs' in asks([late(2000)]))
  assert.deepEqual(asks([late(7900)]), { offset: 0, segment: 0, urgent: true })
})

// --- for all films and lines ---------------------------------------------------------------------

const someFilm = (offset: number) =>
  fc.array(fc.record({ size: fc.integer({ min: 1, max: 2_000_000 }), ms: fc.integer({ min: 30, max: 2000 }), here: fc.boolean() }), { minLength: 1, maxLength: 40 })
    .chain((parts) => {
      const length = parts.reduce((sum, one) => sum + one.ms, 0)
      return fc.integer({ min: 0, max: length }).map((atMs): Film => ({
        offset, sizes: parts.map((one) => one.size), durationsMs: parts.map((one) => one.ms), has: parts.map((one) => one.here), atMs,
      }))
    })
const someLine = fc.record({ bps: fc.integer({ min: 1, max: 200_000_000 }), waitMs: fc.integer({ min: 0, max: 5000 }), varies: fc.double({ min: 0, max: 1, noNaN: true }), saveData: fc.boolean() })
const someFilms = fc.uniqueArray(fc.constantFrom(-1, 0, 1, 2), { maxLength: 4 }).chain((offsets) => fc.tuple(...offsets.map(someFilm)))
const someChance = fc.double({ min: 0, max: 1, noNaN: true })

test('only what is missing of a clip that is there is fetched, and waiting ends', () => {
  fc.assert(fc.property(someFilms, someLine, someChance, (films, line, chance) => {
    const found = nextFetch(films, line, () => chance)
    if ('inMs' in found) return found.inMs > 0
    const of = films.find((one) => one.offset === found.offset)
    return of?.has[found.segment] === false
  }))
})

test('a clip on screen that has nothing to show is never passed over', () => {
  fc.assert(fc.property(someFilms, someLine, someChance, (films, line, chance) => {
    const current = films.find((one) => one.offset === 0)
    fc.pre(current !== undefined && aheadOf(current).aheadMs === 0 && aheadOf(current).missing >= 0)
    const found = nextFetch(films, line, () => chance) as Fetch
    return found.offset === 0 && found.segment === aheadOf(current!).missing
  }))
})

test('asked again and again, it comes to an end, with all beginnings there', () => {
  fc.assert(fc.property(someFilms, someLine, someChance, (films, line, chance) => {
    const kept = films.map((one) => ({ ...one, has: [...one.has] }))
    for (let turn = 0; turn < 400; turn += 1) {
      const found = nextFetch(kept, line, () => chance)
      if ('inMs' in found) {
        const next = kept.find((one) => one.offset === 1)
        return !next || next.has[segmentAt(next.durationsMs, next.atMs)] === true
      }
      kept.find((one) => one.offset === found.offset)!.has[found.segment] = true
    }
    return false
  }))
})

test('saving data never fetches of more clips than one ahead', () => {
  fc.assert(fc.property(someFilms, someLine, someChance, (films, line, chance) => {
    const found = nextFetch(films, { ...line, saveData: true }, () => chance)
    return 'inMs' in found || found.offset === 0 || found.offset === 1
  }))
})

test('never more than two are under way, and nothing is displaced but for a clip on screen', () => {
  const others = fc.array(fc.record({ offset: fc.constantFrom(-1, 0, 1, 2, null), leftBytes: fc.nat(2_000_000) }), { maxLength: 2 })
  const fetch = fc.record({ offset: fc.constantFrom(-1, 0, 1, 2), segment: fc.nat(20), urgent: fc.boolean() })
  fc.assert(fc.property(fetch, fc.boolean(), others, someLine, (wanted, isStarved, underWay, line) => {
    const turn = turnOf(wanted, isStarved, underWay, line)
    if (!turn.begins) return turn.displaced.length === 0 && underWay.length > 0
    return underWay.length - turn.displaced.length < 2 && (wanted.urgent || turn.displaced.length === 0)
  }))
})

test('more bytes or a slower line never come sooner', () => {
  fc.assert(fc.property(fc.nat(9_999_999), someLine, (bytes, line) => fetchMs(bytes + 1, line) >= fetchMs(bytes, line) && fetchMs(bytes, { ...line, bps: line.bps + 1 }) <= fetchMs(bytes, line)))
})

test('a clip on screen that stands still gets what is missing, whatever else there is to fetch', () => {
  fc.assert(fc.property(someFilms, someLine, someChance, (films, line, chance) => {
    const still = films.map((one) => ({ ...one, waits: one.offset === 0 }))
    const shown = still.find((one) => one.offset === 0)
    if (!shown || aheadOf(shown).missing < 0) return true
    const found = nextFetch(still, line, () => chance)
    return !('inMs' in found) && found.offset === 0 && found.segment === aheadOf(shown).missing && found.urgent
  }))
})

test('where browsers want nothing for later, only what the clip on screen needs at once is fetched', () => {
  fc.assert(fc.property(someFilms, someLine, someChance, (films, line, chance) => {
    const quiet = films.map((one) => ({ ...one, streams: false }))
    const found = nextFetch(quiet, line, () => chance)
    if ('inMs' in found) return found.inMs > 0
    return found.offset === 0 && found.urgent
  }))
})
