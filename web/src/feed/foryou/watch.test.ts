import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Signal } from '../../app/api/shapes.ts'
import { AWAY, Watch } from './watch.ts'

function eyes() {
  const signals: Signal[] = []
  const seen: string[] = []
  let now = 0
  let timers: { at: number; act: () => void }[] = []
  const watch = new Watch({
    now: () => now,
    signal: (signal) => signals.push(signal),
    seen: (id) => seen.push(id),
    later: (ms, act) => timers.push({ at: now + ms, act }),
  })
  const pass = (ms: number) => {
    const end = now + ms
    for (;;) {
      const next = timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      timers = timers.filter((timer) => timer !== next)
      now = next.at
      next.act()
    }
    now = end
  }
  return { watch, signals, seen, pass, said: () => signals.map((one) => `${one.kind}${one.ms === undefined ? '' : ` ${one.ms}`}${one.loops ? ` x${one.loops}` : ''}`) }
}
const HERE = { page: 'p', slot: 4 }
const playing = { shown: true, playing: true, loops: 0 }
const paused = { shown: true, playing: false, loops: 0 }

test('only time that it plays in view counts', () => {
  const { watch, said, pass } = eyes()
  watch.tell('a', HERE, paused)
  pass(5000)
  watch.tell('a', HERE, playing)
  pass(1500)
  watch.tell('a', HERE, paused)
  pass(60_000)
  watch.tell('a', HERE, playing)
  pass(700)
  watch.tell('a', HERE, AWAY)
  pass(9000)
  assert.deepEqual(said(), ['shown', 'watched 2200'])
})

test('loops are counted, over several visits', () => {
  const { watch, said, pass } = eyes()
  watch.tell('a', HERE, playing)
  pass(3000)
  watch.tell('a', HERE, { ...playing, loops: 1 })
  pass(3000)
  watch.tell('a', HERE, { ...playing, loops: 2 })
  watch.tell('a', HERE, AWAY)
  watch.tell('a', HERE, { ...playing, loops: 1 })
  pass(1000)
  watch.tell('a', HERE, AWAY)
  assert.deepEqual(said(), ['shown', 'watched 6000 x2', 'watched 7000 x3'])
})

test('a clip that was never on screen says nothing', () => {
  const { watch, said, pass } = eyes()
  watch.tell('a', HERE, AWAY)
  pass(1000)
  watch.tell('a', HERE, { shown: false, playing: true, loops: 0 })
  assert.deepEqual(said(), [])
})

test('a glance is no visit to be kept; two seconds or leaving is', () => {
  const { watch, seen, pass } = eyes()
  watch.tell('a', HERE, playing)
  pass(1900)
  assert.deepEqual(seen, [])
  pass(200)
  assert.deepEqual(seen, ['a'])
  watch.tell('b', { ...HERE, slot: 5 }, paused)
  watch.tell('b', { ...HERE, slot: 5 }, AWAY)
  assert.deepEqual(seen, ['a', 'b'])
})

test('going back to a clip and staying is a replay, once', () => {
  const { watch, said, pass } = eyes()
  for (const ms of [3000, 500, 2500, 2500]) {
    watch.tell('a', HERE, playing)
    pass(ms)
    watch.tell('a', HERE, AWAY)
  }
  assert.deepEqual(said().filter((one) => one === 'replayed'), ['replayed'])
})

test('a window that goes away says how far it came, and later the total', () => {
  const { watch, said, pass } = eyes()
  watch.tell('a', HERE, playing)
  pass(1200)
  watch.interim(2000)
  watch.interim()
  pass(800)
  watch.tell('a', HERE, AWAY)
  watch.interim()
  assert.deepEqual(said(), ['shown', 'watched 1200', 'watched 2000'])
})

test('a clip of another page is another clip', () => {
  const { watch, signals } = eyes()
  watch.tell('a', HERE, paused)
  watch.tell('b', { page: 'q', slot: 0 }, paused)
  assert.deepEqual(signals, [{ ...HERE, kind: 'shown' }, { page: 'q', slot: 0, kind: 'shown' }])
})

test('of a clip that was reported nothing more is said', () => {
  const { watch, said, pass } = eyes()
  watch.tell('a', HERE, playing)
  pass(900)
  watch.hush('a')
  pass(5000)
  watch.tell('a', HERE, paused)
  watch.interim()
  watch.tell('a', HERE, AWAY)
  watch.tell('b', { page: 'p', slot: 5 }, playing)
  pass(3000)
  watch.tell('b', { page: 'p', slot: 5 }, AWAY)
  assert.deepEqual(said(), ['shown', 'shown', 'watched 3000'])
})
