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

test('people are told of one system of units', () => {
  for (const name of readdirSync(import.meta.dirname).filter((one) => one.endsWith('.json'))) {
    const words = readFileSync(`${import.meta.dirname}/${name}`, 'utf8')
    assert.doesNotMatch(words, /\b[KMGT]iB\b|\b[KMGT]io\b/, name)
  }
})
