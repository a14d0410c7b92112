import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeInAddress } from './joining.ts'

test('a code in the address is taken, and what is none is not', () => {
  assert.equal(codeInAddress('#abcd-efgh-ijkl-mnop-qrst-uvwx'), 'abcd-efgh-ijkl-mnop-qrst-uvwx')
  assert.equal(codeInAddress(''), '')
  assert.equal(codeInAddress('#main'), '')
  assert.equal(codeInAddress('#<script>alert(1)</script>'), '')
})
