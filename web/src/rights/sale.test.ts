import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toSay, type Sale } from './sale.ts'

const NOW = Date.parse('2026-11-26T12:00:00Z')
const sale = (changes: Partial<Sale>): Sale => ({ state: 'none', operator: 'Maison', jurisdiction: 'FR', not_before: null, since: null, ...changes })

test('an announced sale is said until it is over', () => {
  const day = '2026-12-26T12:00:00Z'
  assert.deepEqual(toSay(sale({ state: 'announced', not_before: day }), NOW), { key: 'sale.announced', day })
})

test('another operator is said for a month', () => {
  assert.equal(toSay(sale({ state: 'adopted', since: '2026-11-20T12:00:00Z' }), NOW)?.key, 'sale.adopted')
  assert.equal(toSay(sale({ state: 'adopted', since: '2026-10-20T12:00:00Z' }), NOW), null)
})

test('where nothing happens nothing is said', () => {
  assert.equal(toSay(null, NOW), null)
  assert.equal(toSay(sale({}), NOW), null)
})
