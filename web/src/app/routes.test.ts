import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Seen } from '../notify/seen.ts'
import { fill, pickPlural } from './i18n/fill.ts'
import { matchRoute } from './routes.ts'

test('sounds, collections and the lists of a profile have pages', () => {
  assert.deepEqual(matchRoute('/s/one'), { page: 'sound', id: 'one' })
  assert.deepEqual(matchRoute('/collections/one'), { page: 'collection', id: 'one' })
  assert.deepEqual(matchRoute('/favourites'), { page: 'favourites' })
  assert.deepEqual(matchRoute('/@ana/likes'), { page: 'profile', handle: 'ana', tab: 'likes' })
  assert.deepEqual(matchRoute('/@ana/hates'), { page: 'missing' })
})

test('every page of the client has its path', () => {
  assert.deepEqual(matchRoute('/staff'), { page: 'staff', section: '' })
  assert.deepEqual(matchRoute('/staff/jobs'), { page: 'staff', section: 'jobs' })
  assert.deepEqual(matchRoute('/'), { page: 'feed', kind: 'for-you' })
  assert.deepEqual(matchRoute('/latest'), { page: 'feed', kind: 'latest' })
  assert.deepEqual(matchRoute('/friends'), { page: 'feed', kind: 'friends' })
  assert.deepEqual(matchRoute('/@mei.lin'), { page: 'profile', handle: 'mei.lin' })
  assert.deepEqual(matchRoute('/@mei.lin/followers'), { page: 'people', handle: 'mei.lin', list: 'followers' })
  assert.deepEqual(matchRoute('/messages'), { page: 'messages' })
  assert.deepEqual(matchRoute('/messages/settings'), { page: 'message-settings' })
  assert.deepEqual(matchRoute('/messages/new'), { page: 'message-new', handle: null })
  assert.deepEqual(matchRoute('/messages/@mei'), { page: 'message-new', handle: 'mei' })
  assert.deepEqual(matchRoute('/messages/0190'), { page: 'thread', id: '0190' })
  assert.deepEqual(matchRoute('/c/0190'), { page: 'clip', id: '0190' })
  assert.deepEqual(matchRoute('/terms'), { page: 'text', which: 'terms' })
  assert.deepEqual(matchRoute('/imprint'), { page: 'text', which: 'imprint' })
  assert.deepEqual(matchRoute('/statements/0190'), { page: 'statement', id: '0190' })
  for (const page of ['report', 'reports', 'statements', 'transparency', 'review']) assert.deepEqual(matchRoute(`/${page}`), { page })
  assert.deepEqual(matchRoute('/search'), { page: 'search' })
  assert.deepEqual(matchRoute('/tag/%C3%A9t%C3%A9'), { page: 'hashtag', tag: 'été' })
  assert.deepEqual(matchRoute('/settings/passkeys'), { page: 'settings', section: 'passkeys' })
  assert.deepEqual(matchRoute('/erasure/a-ticket'), { page: 'erasure', ticket: 'a-ticket' })
  for (const page of ['data', 'import']) assert.deepEqual(matchRoute(`/settings/${page}`), { page })
  for (const path of ['/nowhere', '/@', '/c', '/publish/x', '/search/x', '/tag', '/erasure', '/@a/b/c', '/%E0%A4%A']) assert.equal(matchRoute(path).page, 'missing', path)
})

test('an event that comes twice counts once', () => {
  const seen = new Seen(2)
  assert.deepEqual(['a', 'a', 'b', 'c', 'a'].map((id) => seen.first(id)), [true, false, true, true, true])
})

test('words are filled in, and counted as the language counts', () => {
  assert.equal(fill('{name} has {count}', { name: 'Zoé', count: 0 }), 'Zoé has 0')
  const words = { 'clips.one': 'clip', 'clips.other': 'clips' }
  assert.deepEqual([0, 1, 2].map((count) => pickPlural(words, 'clips', 'en', count)), ['clips', 'clip', 'clips'])
  assert.deepEqual([0, 1, 2].map((count) => pickPlural(words, 'clips', 'fr', count)), ['clip', 'clip', 'clips'])
})
