/** QR codes: every length from 1 to 213 bytes was read back by another's reader (jsQR 1.4) when this was written; these stay as they were. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { qrCode } from './qr.ts'

const LUCIOLE = `#######..##...#######
#.....#..####.#.....#
#.###.#.#####.#.###.#
#.###.#.#...#.#.###.#
#.###.#.#...#.#.###.#
#.....#.##.#..#.....#
#######.#.#.#.#######
........###..........
#.#####..###..#####..
.#...#...#######.####
...#.###.##.#.##.###.
.#.###.....####..##..
#.######.##.#......##
........##..#..##.#..
#######....#.#...#.#.
#.....#.###....#.####
#.###.#.####.#..#..#.
#.###.#.#..######....
#.###.#.##..#.#..##..
#.....#..######.###..
#######.##..#...#..#.`

test('a short word is drawn as it was', () => {
  assert.equal(qrCode('Luciole').map((row) => row.map((isDark) => (isDark ? '#' : '.')).join('')).join('\n'), LUCIOLE)
})

test('a safety number is drawn as it was', () => {
  const rows = qrCode(`luciole-safety:1:${'0123456789'.repeat(6)}`)
  const hash = createHash('sha256').update(rows.map((row) => row.map((isDark) => (isDark ? 1 : 0)).join('')).join('\n')).digest('hex')
  assert.deepEqual([rows.length, hash], [37, '4912f45d5da895833a66a39b74ed539e09936b74aa9540719b9fca60cc763db2'])
})

test('what does not fit is refused', () => {
  assert.equal(qrCode('x'.repeat(213)).length, 57)
  assert.throws(() => qrCode('x'.repeat(214)), RangeError)
})
