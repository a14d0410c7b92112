import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { headersFor } from './cmcd.ts'
import type { Cut } from './loader.ts'

const cut = (codecs = 'avc1.64001f,mp4a.40.2'): Cut =>
  ({ name: '540', url: '/media/p/secret/540.mp4', width: 540, height: 960, bitrate_bps: 812_499, size_bytes: 9, segments: { url: '/media/p/secret/540.seg.mp4', size_bytes: 9, init_bytes: 1, sizes: [4, 4], durations_ms: [1000, 480], codecs } }) as unknown as Cut
const ask = (url: string, urgent = false, segment = 0) => headersFor(url, cut(), { offset: 0, segment, urgent })

test('on own delivery a request says what it is for', () => {
  assert.deepEqual(ask('/media/p/a/540.seg.mp4', true, 1), { 'CMCD-Object': 'br=812,d=480,ot=av', 'CMCD-Session': 'sf=o,st=v', 'CMCD-Request': 'su' })
  assert.deepEqual(ask('/media/p/a/540.seg.mp4'), { 'CMCD-Object': 'br=812,d=1000,ot=av', 'CMCD-Session': 'sf=o,st=v' })
  assert.equal(headersFor('/media/a', cut('av01.0.04M.08'), { offset: 1, segment: 0, urgent: false })['CMCD-Object'], 'br=812,d=1000,ot=v')
})

test('to another place nothing is said, however its address is written', () => {
  for (const url of ['https://cdn.example/p/a/540.seg.mp4', 'http://cdn.example/a', '//cdn.example/p/a/540.seg.mp4', 'HTTPS://CDN.example/a', 'blob:https://cell.example/1', 'data:,a', '/\\cdn.example/a'])
    assert.deepEqual(ask(url, true), {}, url)
})

/** Of what CTA-5004 knows, only these: no session (sid), no content (cid), no next object (nor), no buffer, no measured line. */
const SAID = { 'CMCD-Object': /^br=\d+,d=\d+,ot=(av|v)$/, 'CMCD-Session': /^sf=o,st=v$/, 'CMCD-Request': /^su$/ }

test('nothing is said but the rate, the length, the kind, and whether it is waited for', () => {
  fc.assert(fc.property(fc.webPath(), fc.boolean(), fc.constantFrom(0, 1), fc.constantFrom(-1, 0, 1, 2), (path, urgent, segment, offset) => {
    const said = headersFor(`/media${path}`, cut(), { offset, segment, urgent })
    for (const [name, value] of Object.entries(said)) assert.match(value, SAID[name as keyof typeof SAID], name)
    assert.ok(!JSON.stringify(said).includes('secret'))
  }))
})
