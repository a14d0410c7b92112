import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ForYouPage } from '../../app/api/shapes.ts'
import { LIVES_MS, Walk } from './walk.ts'

type Item = { id: string }
const ids = (items: Item[]) => items.map((item) => item.id).join('')

/** A cell whose pages are these; the browser's storage and clock. */
function cell(...pages: string[]) {
  const asked: (string | null)[] = []
  const made = {
    asked,
    kept: null as string | null,
    now: 1_000_000,
    gone: new Set<string>(),
    fails: 0,
    walk(anew = false) {
      return new Walk<Item>(
        {
          load: async (cursor): Promise<ForYouPage<Item>> => {
            asked.push(cursor)
            if (made.fails-- > 0) throw new Error('offline')
            const at = cursor === null ? 0 : Number(cursor.slice(1))
            const items = [...(pages[at] ?? '')].map((id) => ({ id }))
            const isLast = at + 1 >= pages.length
            return { page: `page-${at}`, mode: 'public', items, slots: items.map((_, slot) => slot + 3), next: isLast ? null : `#${at + 1}`, resume: `#${at + 1}` }
          },
          again: async (id) => (made.gone.has(id) ? null : { id }),
          recall: () => made.kept,
          remember: (text) => (made.kept = text),
          now: () => made.now,
        },
        anew,
      )
    },
  }
  return made
}

test('pages follow each other, and each clip knows where it was served', async () => {
  const here = cell('ab', 'cd')
  const walk = here.walk()
  assert.equal(walk.begun, false)
  assert.equal(ids(await walk.next()), 'ab')
  assert.deepEqual(walk.place('b'), { page: 'page-0', slot: 4 })
  assert.equal(ids(await walk.next()), 'cd')
  assert.equal(walk.ended, true)
  assert.deepEqual(await walk.next(), [])
  assert.deepEqual(here.asked, [null, '#1'])
})

test('after a reload what was not seen comes first, one clip alone, and nothing that was seen', async () => {
  const here = cell('abcd', 'ef')
  const before = here.walk()
  await before.next()
  before.done('a')
  before.done('b')
  const walk = here.walk()
  assert.equal(walk.begun, true)
  assert.equal(ids(await walk.next()), 'c')
  assert.deepEqual(walk.place('c'), { page: 'page-0', slot: 5 })
  assert.equal(ids(await walk.next()), 'd')
  assert.equal(ids(await walk.next()), 'ef')
  assert.deepEqual(here.asked, [null, '#1'])
})

test('what was seen is not kept on the device', async () => {
  const here = cell('secret', 'xy')
  const walk = here.walk()
  await walk.next()
  walk.done('s')
  assert.ok(!here.kept?.includes('"s"'))
  assert.ok(here.kept?.includes('"t"'))
})

test('a clip that is gone meanwhile is passed over', async () => {
  const here = cell('ab', 'c')
  await here.walk().next()
  here.gone.add('a')
  const walk = here.walk()
  assert.equal(ids(await walk.next()), 'b')
  assert.ok(!here.kept?.includes('"a"'))
})

test('a lost answer loses no page', async () => {
  const here = cell('ab', 'cd')
  const walk = here.walk()
  await walk.next()
  here.fails = 1
  await assert.rejects(walk.next())
  assert.equal(ids(await walk.next()), 'cd')
  assert.deepEqual(here.asked, [null, '#1', '#1'])
})

test('two calls at once share one request', async () => {
  const here = cell('ab')
  const walk = here.walk()
  await Promise.all([walk.next(), walk.next()])
  assert.equal(here.asked.length, 1)
})

test('at the end one may ask what is new since, also after a reload', async () => {
  const pages = ['ab']
  const here = cell(...pages)
  const before = here.walk()
  await before.next()
  for (const id of 'ab') before.done(id)
  const walk = here.walk()
  assert.equal(walk.ended, true)
  walk.reopen()
  assert.deepEqual(await walk.next(), [])
  assert.equal(walk.ended, true)
  assert.deepEqual(here.asked, [null, '#1'])
})

test('pages without anything new do not turn for ever', async () => {
  const here = cell('a', ...Array<string>(50).fill('a'))
  const walk = here.walk()
  await walk.next()
  assert.deepEqual(await walk.next(), [])
  assert.ok(here.asked.length < 10)
  assert.equal(walk.ended, true)
})

test('after a day everything begins anew, also in a window left open', async () => {
  const here = cell('ab', 'cd')
  const walk = here.walk()
  await walk.next()
  here.now += LIVES_MS
  assert.equal(here.walk().begun, false)
  assert.equal(ids(await walk.next()), 'ab')
  assert.deepEqual(here.asked, [null, null])
})

test('what is kept may be anything, and then counts for nothing', () => {
  const here = cell('ab')
  for (const text of ['', 'null', '7', '{', '[]', '{"began":1}', '{"began":999999,"cursor":3,"waiting":[]}', '{"began":99999999999,"cursor":"#1","waiting":[]}']) {
    here.kept = text
    assert.equal(here.walk().begun, false, text)
  }
  here.kept = '{"began":999999,"cursor":"#1","waiting":[{"id":1},null]}'
  assert.equal(here.walk().begun, false)
})

test('a page that comes after another walk has begun is not kept', async () => {
  const here = cell('ab', 'cd')
  const old = here.walk()
  const late = old.next()
  old.end()
  const walk = here.walk(true)
  await late
  assert.equal(String(here.kept), 'null')
  await walk.next()
  walk.done('a')
  old.done('b')
  assert.ok(here.kept?.includes('"b"'))
})

test('what is rejected while the kept ones are on their way takes none of the others with it', async () => {
  const here = cell('abcd', 'e')
  await here.walk().next()
  const walk = here.walk()
  await walk.next()
  const coming = walk.next()
  walk.done('b')
  await coming
  assert.equal(ids(await walk.next()), 'e')
  assert.ok(!here.kept?.includes('"b"'))
  for (const id of 'acd') assert.ok(here.kept?.includes(`"${id}"`), id)
})

test('beginning anew forgets what was kept', async () => {
  const here = cell('ab')
  await here.walk().next()
  const walk = here.walk(true)
  assert.equal(here.kept, null)
  assert.equal(ids(await walk.next()), 'ab')
})
