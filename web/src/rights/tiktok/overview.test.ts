import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyJson, dice, kept } from './archives.ts'
import { JsonReader } from './json.ts'
import { FAVOURITE_KINDS, offersOf, type Offers } from './offers.ts'
import { overviewOf, type Overview } from './overview.ts'
import { captionFor, isNothing, NOTHING, planOf, type Ticks } from './plan.ts'
import { readArchive } from './read.ts'
import { ArchiveRefused } from './refused.ts'

const ALL: Ticks = { displayName: true, bio: true, isPrivate: true, suggestions: true, favourites: [...FAVOURITE_KINDS], posts: true, audience: 'as-there' }
const matchAll = (offers: Offers) => offers.posts.map((post, file) => ({ post: post.id, file, how: 'person' as const }))

function counts(overview: Overview): Record<string, number> {
  return Object.fromEntries(overview.sections.filter((section) => section.count > 0).map((section) => [section.id, section.count]))
}

test('three generations of the layout hold the same things in other places', async () => {
  for (const generation of ['G1', 'G2', 'G3']) {
    const overview = await readArchive(kept(`${generation.toLowerCase()}.json`))
    const offers = offersOf(overview)
    assert.equal(overview.generation, generation)
    assert.equal(offers.displayName, 'Noor Moth\ufffd')
    assert.equal(offers.bio, 'Films moths.\nAt night.')
    assert.equal(offers.isPrivate, true)
    assert.equal(offers.follows.length, 8)
    assert.ok(offers.follows.includes('upper.case'))
    assert.deepEqual(Object.values(offers.favourites).map((list) => list.length), [4, 2, 0, 1, 5])
    assert.equal(offers.posts.length, 5)
    assert.deepEqual(offers.posts.map((post) => post.audience), ['everyone', 'friends', 'only-me', 'friends', 'only-me'])
    assert.deepEqual(offers.posts.map((post) => post.madeWithAi), [false, true, false, false, false])
    assert.equal(offers.posts[1]?.caption, 'half a firefly \ufffd #glow')
    assert.equal(offers.posts[3]?.caption, '')
    assert.ok(offers.posts.every((post) => post.number && post.when))
    assert.deepEqual(offers.odd, { follows: 1, favourites: 1 })
    assert.equal(offers.zoneless, generation === 'G3' ? 0 : 5)
  }
})

test('each section is counted, and refused or left with its reason', async () => {
  const overview = await readArchive(kept('g3.json'))
  assert.deepEqual(counts(overview), {
    profile: 12, following: 9, favourites: 7, likes: 6, posts: 5, settings: 4,
    messages: 4, logins: 1, devices: 1, ads: 1, shop: 2, autofill: 1, location: 1,
    comments: 1, watched: 6, searches: 1, live: 2, shares: 1, others: 1,
  })
  const refused = overview.sections.filter((section) => section.fate === 'refused').map((section) => section.id)
  assert.deepEqual(refused, ['messages', 'logins', 'devices', 'ads', 'shop', 'autofill', 'location'])
})

test('a section in two places counts once, a key that stands twice is joined, and both are said', async () => {
  const overview = await readArchive(kept('g3.json'))
  assert.deepEqual(overview.sections.filter((section) => section.isTwice).map((section) => section.id), ['ads'])
  assert.deepEqual(overview.keysTwice, ['Profile And Settings › Following › Following'])
})

test('what nobody has described is listed with its count', async () => {
  const told = async (name: string) => (await readArchive(kept(name))).strangers.map(({ path, count }) => `${path}: ${count}`)
  assert.deepEqual(await told('g3.json'), ['Brand New Chapter › Something: 2', 'Another Empty One: 0', 'Post › Posts › VideoList › NewField: 5'])
  assert.deepEqual(await told('g2.json'), ['Your Activity › Dream Log: 1', 'TikTok Shop › Haggling: 1', 'Post › Posts › VideoList › NewField: 5'])
})

test('without a tick nothing is planned; with every tick nothing of others or of the device', async () => {
  for (const name of ['g1.json', 'g2.json', 'g3.json']) {
    const offers = offersOf(await readArchive(kept(name)))
    assert.ok(isNothing(planOf(offers, NOTHING, matchAll(offers))))
    const plan = planOf(offers, ALL, matchAll(offers))
    assert.doesNotMatch(JSON.stringify(plan), /canary|\?token|203\.0\.113/)
    assert.deepEqual([plan.suggestions.length, plan.favourites.length, plan.clips.length], [8, 12, 5])
  }
})

test('any JSON is read or refused, sends nothing by itself, and nothing but text within limits when all is ticked', () => {
  let read = 0
  for (let seed = 1; seed <= 3000; seed += 1) {
    const reader = new JsonReader()
    reader.push(JSON.stringify(anyJson(dice(seed))))
    let offers: Offers
    try {
      offers = offersOf(overviewOf(reader.end()))
    } catch (problem) {
      assert.ok(problem instanceof ArchiveRefused, `seed ${seed}: ${problem}`)
      continue
    }
    read += 1
    assert.ok(isNothing(planOf(offers, NOTHING, matchAll(offers))), `seed ${seed}`)
    const plan = planOf(offers, ALL, matchAll(offers))
    assert.doesNotMatch(JSON.stringify(plan), /\\ud[89a-f]/i, `seed ${seed}`)
    for (const { link } of plan.favourites) assert.match(link, /^https:\/\/([a-z0-9-]+\.)*tiktokv?\.com\//)
    for (const handle of plan.suggestions) assert.match(handle, /^[a-z0-9_.]{2,24}$/)
    for (const { caption } of plan.clips) assert.ok([...caption].length <= 2200)
  }
  assert.ok(read > 500, `only ${read} were read`)
})

test('of more hashtags than a caption may have the last become words', () => {
  const caption = captionFor(Array.from({ length: 34 }, (_, at) => `#tag${at}`).join(' '))
  assert.equal(caption.match(/#/g)?.length, 30)
  assert.ok(caption.endsWith('#tag29 tag30 tag31 tag32 tag33'))
})
