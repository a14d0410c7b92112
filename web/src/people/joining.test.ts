import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeInAddress, sourceOf } from './joining.ts'

test('a code in the address is taken, and what is none is not', () => {
  assert.equal(codeInAddress('#abcd-efgh-ijkl-mnop-qrst-uvwx'), 'abcd-efgh-ijkl-mnop-qrst-uvwx')
  assert.equal(codeInAddress(''), '')
  assert.equal(codeInAddress('#main'), '')
  assert.equal(codeInAddress('#<script>alert(1)</script>'), '')
})

test('the law of the country is read out of the table, and of no other line', () => {
  const text = '# Version 1. FR 15 is no line.\nDE 16 GDPR art. 8(1)\nFR 15 Loi n° 78-17, art. 45\n'
  const told = { version: 1, sha256: '', text, country: 'FR', age: 15, entry: null }
  assert.equal(sourceOf(told), 'Loi n° 78-17, art. 45')
  assert.equal(sourceOf({ ...told, country: 'ZZ', age: null }), '')
})
