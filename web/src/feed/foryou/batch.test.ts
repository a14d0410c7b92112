import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Signal } from '../../app/api/shapes.ts'
import { Batch, MOST_AT_ONCE, MOST_WAITING, SEND_AT, SEND_EVERY_MS, type Sent } from './batch.ts'

const shown = (slot: number): Signal => ({ page: 'p', slot, kind: 'shown' })

/** A cell that answers as told, and a clock that is turned by hand. */
function line() {
  const lots: { slots: number[]; last: boolean }[] = []
  const timers: { ms: number; act: () => void }[] = []
  const answers: (Sent | Error | Promise<Sent>)[] = []
  const batch = new Batch({
    send: async (lot, last) => {
      lots.push({ slots: lot.map((signal) => signal.slot), last })
      const answer = answers.shift() ?? 'done'
      if (answer instanceof Error) throw answer
      return answer
    },
    later: (ms, act) => {
      timers.push({ ms, act })
      return () => undefined
    },
  })
  return { batch, lots, timers, answers }
}
const settled = () => new Promise((done) => setTimeout(done, 0))

test('a few wait for the clock, and leave together', async () => {
  const { batch, lots, timers } = line()
  for (const slot of [1, 2, 3]) batch.add(shown(slot))
  assert.deepEqual(timers.map((timer) => timer.ms), [SEND_EVERY_MS])
  timers[0]?.act()
  await settled()
  assert.deepEqual(lots, [{ slots: [1, 2, 3], last: false }])
  assert.equal(batch.size, 0)
})

test('twenty do not wait', async () => {
  const { batch, lots } = line()
  for (let slot = 0; slot < SEND_AT; slot += 1) batch.add(shown(slot))
  await settled()
  assert.equal(lots[0]?.slots.length, SEND_AT)
})

test('what is said twice of a slot is one signal, with its newest numbers', async () => {
  const { batch, lots } = line()
  batch.add({ page: 'p', slot: 1, kind: 'watched', ms: 900, loops: 0 })
  batch.add({ page: 'p', slot: 1, kind: 'watched', ms: 4200, loops: 1 })
  batch.add({ page: 'p', slot: 1, kind: 'hid-hashtag', hashtag: 'a' })
  batch.add({ page: 'p', slot: 1, kind: 'hid-hashtag', hashtag: 'b' })
  assert.equal(batch.size, 3)
  await batch.flush()
  assert.equal(lots[0]?.slots.length, 3)
})

test('without a line nothing is lost, the pauses grow, and the first answer ends them', async () => {
  const { batch, lots, timers, answers } = line()
  answers.push(new Error('offline'), 'again', 'done')
  batch.add(shown(1))
  for (const turn of [0, 1, 2]) {
    timers[turn]?.act()
    await settled()
  }
  assert.deepEqual(lots.map((lot) => lot.slots), [[1], [1], [1]])
  assert.deepEqual(timers.map((timer) => timer.ms), [SEND_EVERY_MS, 4000, 8000])
  assert.equal(batch.size, 0)
})

test('what changes while it is on its way is sent again', async () => {
  const { batch, lots, answers } = line()
  let answer: (sent: Sent) => void = () => undefined
  answers.push(new Promise<Sent>((done) => (answer = done)))
  batch.add({ page: 'p', slot: 1, kind: 'watched', ms: 900 })
  batch.add(shown(2))
  const flushed = batch.flush()
  batch.add({ page: 'p', slot: 1, kind: 'watched', ms: 2000 })
  answer('done')
  await flushed
  assert.equal(batch.size, 1)
  await batch.flush()
  assert.deepEqual(lots.map((lot) => lot.slots), [[1, 2], [1]])
})

test('a page that goes away sends at once, by requests that outlive it', async () => {
  const { batch, lots } = line()
  batch.add(shown(1))
  batch.leave()
  await settled()
  assert.deepEqual(lots, [{ slots: [1], last: true }])
  assert.equal(batch.size, 0)
})

test('no more than some wait, and no request is larger than the cell takes', async () => {
  const { batch, lots, answers } = line()
  answers.push('again')
  for (let slot = 0; slot < MOST_WAITING + 50; slot += 1) batch.add(shown(slot))
  await settled()
  assert.equal(batch.size, MOST_WAITING)
  await batch.flush()
  const sizes = lots.slice(1).map((lot) => lot.slots.length)
  assert.deepEqual(sizes, Array(MOST_WAITING / MOST_AT_ONCE).fill(MOST_AT_ONCE))
  assert.equal(lots[1]?.slots[0], 50)
})
