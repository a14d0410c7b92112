/** What may come along out of an archive, cleaned and in our words. Nothing of it is ticked by itself. */
import type { Audience } from '../../app/api/shapes.ts'
import { field, plain, rowsOf, textOf, tiktokLink, videoNumber, when, type When } from './field.ts'
import { isMap, type Json, type JsonMap } from './json.ts'
import type { Overview, Place } from './overview.ts'
import type { SectionId } from './sections.ts'

export const FAVOURITE_KINDS = ['video', 'sound', 'hashtag', 'effect', 'like'] as const
export type FavouriteKind = (typeof FAVOURITE_KINDS)[number]

export interface Favourite {
  kind: FavouriteKind
  link: string
  /** Only the day: the minute is nobody's business. */
  day: string | null
}

export interface Post {
  id: number
  when: When | null
  /** The number of the video at TikTok, if the archive gives it. */
  number: string | null
  caption: string
  /** Who could see it there, in our words; the narrowest where theirs are unknown. */
  audience: Audience
  madeWithAi: boolean
}

export interface Offers {
  displayName: string | null
  bio: string | null
  /** The account was private there. */
  isPrivate: boolean
  follows: string[]
  favourites: Record<FavouriteKind, Favourite[]>
  posts: Post[]
  /** Rows that hold no handle or no link to TikTok; they stay. */
  odd: { follows: number; favourites: number }
  /** Dates of posts without a zone; they are taken as UTC. */
  zoneless: number
}

const KINDS: Record<string, FavouriteKind> = {
  favoritevideos: 'video',
  favoritesounds: 'sound',
  favoritehashtags: 'hashtag',
  favoriteeffects: 'effect',
  likelist: 'like',
}
const HANDLE = /^[a-z0-9_.]{2,24}$/
const MOST_DEEP = 5
const YES = new Set(['yes', 'true', 'on', 'enabled', 'private', '1'])
const AUDIENCES: Record<string, Audience> = {
  everyone: 'everyone',
  public: 'everyone',
  friends: 'friends',
  mutualfriends: 'friends',
  // Followers who are not followed back are no friends here: fewer people, never more.
  followers: 'friends',
}

export function offersOf(overview: Overview): Offers {
  const places = (id: SectionId): Place[] => overview.sections.find((section) => section.id === id)?.places ?? []
  const profile = places('profile').map((place) => holder(place.value, 'displayname', 'biodescription', 'username')).find(Boolean)
  const settings = places('settings').map((place) => holder(place.value, 'privateaccount')).find(Boolean)
  const follows = followsOf(places('following'))
  const favourites = favouritesOf([...places('favourites'), ...places('likes')])
  const posts = postsOf(places('posts'))
  return {
    displayName: profile ? textOf(field(profile, 'displayname')) : null,
    bio: profile ? textOf(field(profile, 'biodescription')) : null,
    isPrivate: settings !== undefined && YES.has(plain(textOf(field(settings, 'privateaccount')) ?? '')),
    follows: follows.found,
    favourites: favourites.found,
    posts,
    odd: { follows: follows.odd, favourites: favourites.odd },
    zoneless: posts.filter((post) => post.when?.isUtc === false).length,
  }
}

/** The map that has one of these fields, wherever it stands in the section. */
function holder(value: Json, ...names: string[]): JsonMap | undefined {
  return held(value, names, 0)
}

function held(value: Json, names: string[], depth: number): JsonMap | undefined {
  if (!isMap(value) || depth > MOST_DEEP) return undefined
  if (names.some((name) => field(value, name) !== undefined)) return value
  for (const child of Object.values(value)) {
    const found = held(child, names, depth + 1)
    if (found) return found
  }
  return undefined
}

function followsOf(places: Place[]): { found: string[]; odd: number } {
  const found = new Set<string>()
  let odd = 0
  for (const row of places.flatMap((place) => rowsOf(place.value))) {
    const handle = textOf(field(row, 'username'))?.replace(/^@/, '').toLowerCase() ?? ''
    if (HANDLE.test(handle)) found.add(handle)
    else odd += 1
  }
  return { found: [...found], odd }
}

function favouritesOf(places: Place[]): { found: Record<FavouriteKind, Favourite[]>; odd: number } {
  const found: Record<FavouriteKind, Map<string, Favourite>> = { video: new Map(), sound: new Map(), hashtag: new Map(), effect: new Map(), like: new Map() }
  let odd = 0
  for (const place of places) {
    const kind = KINDS[plain(place.name)]
    if (!kind) continue
    for (const row of rowsOf(place.value)) {
      const link = tiktokLink(field(row, 'link', 'effectlink'))
      if (link === null) odd += 1
      else if (!found[kind].has(link)) found[kind].set(link, { kind, link, day: dayOf(when(field(row, 'date'))) })
    }
  }
  const lists = Object.fromEntries(FAVOURITE_KINDS.map((kind) => [kind, [...found[kind].values()]]))
  return { found: lists as Record<FavouriteKind, Favourite[]>, odd }
}

function dayOf(moment: When | null): string | null {
  return moment ? new Date(moment.ms).toISOString().slice(0, 10) : null
}

function postsOf(places: Place[]): Post[] {
  const seen = new Set<string>()
  const posts: Post[] = []
  for (const row of places.flatMap((place) => rowsOf(place.value))) {
    const [date, link, caption] = [when(field(row, 'date')), textOf(field(row, 'link')), textOf(field(row, 'title')) ?? '']
    const mark = JSON.stringify([date?.ms, link, caption])
    if ((!date && !link && !caption) || seen.has(mark)) continue
    seen.add(mark)
    posts.push({
      id: posts.length,
      when: date,
      number: link ? videoNumber(link) : null,
      caption,
      audience: AUDIENCES[plain(textOf(field(row, 'whocanview')) ?? '')] ?? 'only-me',
      madeWithAi: YES.has(plain(textOf(field(row, 'aigeneratedcontent')) ?? '')),
    })
  }
  return posts
}
