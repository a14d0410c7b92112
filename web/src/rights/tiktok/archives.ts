/** For tests: the archives kept in `tests/tiktok`, and JSON that nobody would think of. */
import { readFileSync } from 'node:fs'

const HERE = new URL('../../../../tests/tiktok/', import.meta.url)

export function kept(name: string): File {
  return new File([readFileSync(new URL(name, HERE))], name)
}

/** A stream of numbers below 1 that is the same for the same seed (mulberry32). */
export function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const NAMES = [
  'Post', 'Posts', 'VideoList', 'Your Activity', 'Activity', 'Following', 'Following List', 'UserName', 'Profile Info', 'ProfileMap', 'displayName',
  'bioDescription', 'Like List', 'Favorite Videos', 'Direct Message', 'Direct Messages', 'Settings', 'Private Account', 'Date', 'date', 'Link', 'link',
  'Title', 'WhoCanView', 'Login History', '__proto__', 'constructor', 'toString', '', '::', '7234567890123456789', '-1', '\ud83d', 'Status', 'App',
]
const TEXTS = [
  '', 'N/A', 'None', '\ud83d', '\udc00\ud800', '2024-05-06 07:08:09', '2024-05-06 07:08:09 UTC', '2024-02-31 00:00:00', '9999-99-99', 'Everyone', 'Enabled',
  'https://www.tiktokv.com/share/video/7234567890123456789/', 'https://tiktok.com.example.org/', 'javascript:alert(1)', 'https://[', '@some.one',
  '#a '.repeat(40), '\u202eabc', '\0', 'x'.repeat(5000),
]

/** Any JSON, with a liking for what the archive is made of. */
export function anyJson(roll: () => number, depth = 0): unknown {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(roll() * list.length)] as T
  const kind = depth > 6 ? Math.floor(roll() * 4) : Math.floor(roll() * 9)
  const many = Math.floor(roll() * 4)
  switch (kind) {
    case 0:
      return null
    case 1:
      return roll() < 0.5
    case 2:
      return pick([0, -1, 1.5, 1e300, 1_700_000_000, 7_234_567_890_123_456_789, Number.MIN_VALUE])
    case 3:
      return pick(TEXTS)
    case 4:
    case 5:
      return Array.from({ length: many }, () => anyJson(roll, depth + 1))
    default: {
      // `fromEntries` makes an own key of `__proto__`, as JSON does.
      return Object.fromEntries(Array.from({ length: many + 1 }, () => [pick(NAMES), anyJson(roll, depth + 1)]))
    }
  }
}
