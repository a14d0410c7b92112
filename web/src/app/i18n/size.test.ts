import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { megabytesIn } from './size.ts'

test('a megabyte has a million bytes', () => {
  assert.equal(megabytesIn('en', 500_000_000), '500')
  assert.equal(megabytesIn('en', 314_572_800), '315')
  assert.equal(megabytesIn('en', 1_500_000), '1.5')
  assert.equal(megabytesIn('fr', 1_500_000), '1,5')
  assert.equal(megabytesIn('en', 0), '0')
})

test('a limit is rounded down, and what is beyond it up', () => {
  assert.equal(megabytesIn('en', 314_572_800, 'down'), '314')
  assert.equal(megabytesIn('en', 314_572_801, 'up'), '315')
  assert.equal(megabytesIn('en', 8_388_608, 'down'), '8.3')
  assert.equal(megabytesIn('fr', 8_388_608, 'up'), '8,4')
  assert.equal(megabytesIn('en', 9_960_000, 'up'), '10')
  assert.equal(megabytesIn('en', 300_000_000, 'down'), '300')
  assert.equal(megabytesIn('en', 300_000_000, 'up'), '300')
})

test('people are told of one system of units', () => {
  for (const name of readdirSync(import.meta.dirname).filter((one) => one.endsWith('.json'))) {
    const words = readFileSync(`${import.meta.dirname}/${name}`, 'utf8')
    assert.doesNotMatch(words, /\b[KMGT]iB\b|\b[KMGT]io\b/, name)
  }
})
