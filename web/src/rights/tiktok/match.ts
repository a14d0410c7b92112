/**
 * Which video file belongs to which post. The archive has no videos: the person adds those that they have, and their names and
 * times are all that is known. A match is made only where it is the only one; the rest is the person's to say.
 */
import { numberTime, videoNumber } from './field.ts'
import type { Post } from './offers.ts'

export interface NamedFile {
  name: string
  /** When the file was last written, as far as the device knows. */
  modifiedMs: number | null
}

export type How = 'number' | 'time' | 'day' | 'written' | 'person'
export interface Match {
  post: number
  file: number
  how: How
}

const SECOND_MS = 1000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** A name may round its seconds. */
const NEAR_MS = 2 * SECOND_MS
/** A post comes after its number was given out, by the time that its upload took. */
const UPLOAD_MS = 10 * 60 * SECOND_MS
/** The zones of the earth, in quarters of an hour. */
const ZONE_MS = HOUR_MS / 4
const FARTHEST_ZONE_MS = 14 * HOUR_MS

const TIME = /(?<!\d)(20\d{2})[-_.]?([01]\d)[-_.]?([0-3]\d)(?:[ T_-]{0,3}([0-2]\d)[-_.:h]?([0-5]\d)(?:[-_.:m]?([0-5]\d))?)?(?!\d)/

/** The time in a file name; `isDay` where it says the day only. */
export function nameTime(name: string): { ms: number; isDay: boolean } | null {
  const found = TIME.exec(name)
  if (!found) return null
  const [year, month, date, hour, minute, second] = found.slice(1).map((part) => Number(part ?? 0)) as [number, number, number, number, number, number]
  const ms = Date.UTC(year, month - 1, date, hour, minute, second)
  const isReal = month >= 1 && month <= 12 && new Date(ms).getUTCDate() === date && hour < 24
  return isReal ? { ms, isDay: found[4] === undefined } : null
}

interface Known {
  at: number
  number: string | null
  /** The time in the name, where it says the minute. */
  time: number | null
  /** The same, also where it says only the day. */
  day: number | null
  begun: number | null
  written: number | null
}
type Fits = (post: Post, file: Known) => boolean

/** The sure matches first, each kind only among what the ones before it have left over. */
export function matchFiles(posts: readonly Post[], files: readonly NamedFile[], given: readonly Match[] = []): Match[] {
  const known = files.map(knownOf)
  const matches = [...given]
  for (const [how, fits] of RULES) {
    const [taken, used] = [new Set(matches.map((match) => match.post)), new Set(matches.map((match) => match.file))]
    const free = known.filter((file) => !used.has(file.at))
    const left = posts.filter((post) => !taken.has(post.id))
    const pairs = left.flatMap((post) => free.filter((file) => fits(post, file)).map((file) => ({ post: post.id, file: file.at, how })))
    // Only where neither side could mean another one.
    const [forPost, forFile] = [tally(pairs.map((pair) => pair.post)), tally(pairs.map((pair) => pair.file))]
    matches.push(...pairs.filter((pair) => forPost.get(pair.post) === 1 && forFile.get(pair.file) === 1))
  }
  return matches
}

function knownOf(file: NamedFile, at: number): Known {
  const [number, time] = [videoNumber(file.name), nameTime(file.name)]
  return {
    at,
    number,
    time: time && !time.isDay ? time.ms : null,
    day: time?.ms ?? null,
    begun: number ? numberTime(number) : null,
    written: file.modifiedMs,
  }
}

function tally(values: number[]): Map<number, number> {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}

function near(one: number, other: number): boolean {
  return Math.abs(one - other) <= NEAR_MS
}

/** The same moment on the clocks of two zones. */
function nearInSomeZone(one: number, other: number): boolean {
  const apart = Math.abs(one - other)
  return apart <= FARTHEST_ZONE_MS + NEAR_MS && Math.abs(apart - Math.round(apart / ZONE_MS) * ZONE_MS) <= NEAR_MS
}

function by(key: 'time' | 'day' | 'begun' | 'written', fits: (post: number, file: number) => boolean): Fits {
  return (post, file) => post.when !== null && file[key] !== null && fits(post.when.ms, file[key])
}

const RULES: readonly (readonly [How, Fits])[] = [
  ['number', (post, file) => post.number !== null && file.number === post.number],
  ['time', by('time', near)],
  ['time', by('begun', (post, begun) => post - begun >= -NEAR_MS && post - begun <= UPLOAD_MS)],
  ['time', by('time', nearInSomeZone)],
  ['day', by('day', (post, file) => Math.floor(post / DAY_MS) === Math.floor(file / DAY_MS))],
  ['written', by('written', near)],
]
