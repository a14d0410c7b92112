import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fill, pickPlural } from './fill.ts'

const folder = new URL('.', import.meta.url)
const words = (language: string): Record<string, string> => {
  const names = readdirSync(folder).filter((name) => new RegExp(`(^|\\.)${language}\\.json$`).test(name) && !/^(errors|held)\./.test(name))
  return Object.assign({}, ...names.map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as object)) as Record<string, string>
}

test('French has the singular for 0 and 1, English for 1 only', () => {
  const fr = { 'a.one': '{count} réclamation', 'a.other': '{count} réclamations' }
  const en = { 'a.one': '{count} appeal', 'a.other': '{count} appeals' }
  assert.deepEqual([0, 1, 2].map((count) => fill(pickPlural(fr, 'a', 'fr', count), { count })), ['0 réclamation', '1 réclamation', '2 réclamations'])
  assert.deepEqual([0, 1, 2].map((count) => fill(pickPlural(en, 'a', 'en', count), { count })), ['0 appeals', '1 appeal', '2 appeals'])
})

test('a sentence that counts several things has a word for each', () => {
  const said = '{likes} {likes|like|likes}, {shares} {shares|partage|partages}'
  assert.equal(fill(said, { likes: 1, shares: '0' }, 'fr'), '1 like, 0 partage')
  assert.equal(fill(said, { likes: '1,5', shares: 21 }, 'fr'), '1,5 like, 21 partages')
  assert.equal(fill(said, { likes: 0, shares: '1' }, 'en'), '0 likes, 1 partage')
  assert.equal(fill('{a|x|y}', { b: 1 }), '{a|x|y}')
})

test('each word with plural forms has both, and shows the count in both or in neither', () => {
  for (const language of ['en', 'fr']) {
    const all = words(language)
    const bases = Object.keys(all).flatMap((key) => (key.endsWith('.other') && `${key.slice(0, -6)}.one` in all ? [key.slice(0, -6)] : []))
    assert(bases.length > 50, language)
    for (const base of bases) {
      for (const count of [0, 1, 2, 1_000_000]) assert.notEqual(pickPlural(all, base, language, count), base)
    }
  }
})

/** What is never shown for 0 or 1: said with its reason. */
const ALWAYS_MANY: Record<string, string> = {
  'console.free': 'bytes, with their unit',
  'console.keys.days': 'a key of a week',
  'contacts.how.limits': 'hundreds',
  'family.limit.daily': 'ten minutes at least',
  'glass.bytes': 'a crossing has more than a few',
  'learn.hint': 'ninety days',
  'making.split.done': 'two at least',
  'making.timer': 'three or ten seconds',
  'publish.limits': 'minutes of the longest film',
  'rest.break': 'ten minutes at least',
  'rest.family-limit': 'ten minutes at least',
  'rest.limit': 'thirty minutes at least',
  'review.alike': 'two at least',
  'review.alike.decision': 'two at least',
  'review.rule.same-words': 'a rule needs several',
  'review.rule.shared-follows': 'a rule needs several',
  'review.rule.shared-likes': 'a rule needs several',
  'review.suggestion.wrong-pairs': 'hundreds were tried',
  'time.minutes': 'ten minutes at least',
  'trends.none': 'three people at least',
  'trends.rule': 'a week',
  'import.over.favourites': 'thousands',
  'import.over.suggestions': 'thousands',
}

test('no French word is in the plural behind a count that may be 0 or 1', () => {
  const behind = /\{\w+\}[ \u00a0\u202f](?!(?:dans|fois|plus|sous|vous)(?!\p{L}))[\p{Ll}’-]+[sx](?!\p{L})/u
  const found = Object.entries(words('fr')).filter(([key, told]) => !/\.(one|many|other)$/.test(key) && behind.test(told)).map(([key]) => key)
  assert.deepEqual(found.filter((key) => !(key in ALWAYS_MANY)), [])
  assert.deepEqual(Object.keys(ALWAYS_MANY).filter((key) => !found.includes(key)), [])
})

test('each problem that the client finds by itself has words in both languages', () => {
  const source = new URL('../../', import.meta.url)
  const files = (readdirSync(source, { recursive: true }) as string[]).filter((name) => /\.(ts|svelte)$/.test(name) && !name.endsWith('.test.ts'))
  const made = files.flatMap((name) => [...readFileSync(new URL(name, source), 'utf8').matchAll(/new ApiError\([^,]+, (.*?), ''/g)].map(([, code]) => code!))
  const codes = made.flatMap((code) => [...code.matchAll(/(?<!=== )'([a-z-]+)'/g)].map(([, word]) => word!))
  assert(codes.length > 15)
  for (const language of ['en', 'fr']) {
    const told = JSON.parse(readFileSync(new URL(`errors.${language}.json`, folder), 'utf8')) as Record<string, unknown>
    assert.deepEqual(codes.filter((code) => !told[code]), [], language)
  }
})
