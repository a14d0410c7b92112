import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from '../app/api/shapes.ts'
import { Pages, wantsMore } from './pages.ts'

type Item = { id: string }
const page = (ids: string, next: string | null): Page<Item> => ({ items: [...ids].map((id) => ({ id })), next })
const ids = (items: Item[]) => items.map((item) => item.id).join('')

/** Answers page after page, and keeps the cursors it was asked with. */
function feed(...pages: (Page<Item> | Error)[]) {
  const asked: (string | null)[] = []
  return {
    asked,
    pages: new Pages<Item>(async (cursor) => {
      asked.push(cursor)
      const answer = pages.shift()
      if (!answer || answer instanceof Error) throw answer ?? new Error('asked too often')
      return answer
    }),
  }
}

test('the cursor of each page asks for the next, unread', async () => {
  const { pages, asked } = feed(page('ab', 'opaque=='), page('cd', null))
  assert.equal(ids(await pages.next()), 'ab')
  assert.equal(ids(await pages.next()), 'cd')
  assert.deepEqual(asked, [null, 'opaque=='])
  assert.equal(pages.ended, true)
  assert.deepEqual(await pages.next(), [])
})

test('no clip comes twice, and a page of doubles is passed over', async () => {
  const { pages } = feed(page('ab', '1'), page('ba', '2'), page('bc', null))
  assert.equal(ids(await pages.next()), 'ab')
  assert.equal(ids(await pages.next()), 'c')
})

test('a clip that was pinned is not brought again', async () => {
  const { pages } = feed(page('abc', null))
  pages.know('b')
  assert.equal(ids(await pages.next()), 'ac')
})

test('two calls at once share one request', async () => {
  const { pages, asked } = feed(page('ab', '1'))
  const [first, second] = await Promise.all([pages.next(), pages.next()])
  assert.equal(first, second)
  assert.equal(asked.length, 1)
})

test('after an error the same page is asked for again', async () => {
  const { pages, asked } = feed(page('a', '1'), new Error('offline'), page('b', null))
  await pages.next()
  await assert.rejects(pages.next())
  assert.equal(ids(await pages.next()), 'b')
  assert.deepEqual(asked, [null, '1', '1'])
})

test('more is asked for five clips before the end', () => {
  assert.equal(wantsMore(13, 20), false)
  assert.equal(wantsMore(14, 20), true)
  assert.equal(wantsMore(0, 0), true)
})
