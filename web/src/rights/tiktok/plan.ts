/** What is sent to the cell: what the person ticked, within what the cell takes, and nothing else. */
import type { Audience } from '../../app/api/shapes.ts'
import { captionParts, MOST_HASHTAGS } from '../../clips/hashtags.ts'
import { MOST_FAVOURITES, MOST_SUGGESTIONS } from './limits.ts'
import type { Match } from './match.ts'
import { FAVOURITE_KINDS, type Favourite, type FavouriteKind, type Offers, type Post } from './offers.ts'

export interface Ticks {
  displayName: boolean
  bio: boolean
  isPrivate: boolean
  suggestions: boolean
  favourites: FavouriteKind[]
  posts: boolean
  /** "as-there" takes over who could see a post; else nobody but the person can. */
  audience: 'only-me' | 'as-there'
}

/** How every import begins. */
export const NOTHING: Ticks = { displayName: false, bio: false, isPrivate: false, suggestions: false, favourites: [], posts: false, audience: 'only-me' }

export interface PlannedClip {
  post: number
  file: number
  caption: string
  audience: Audience
  madeWithAi: boolean
}

export interface Plan {
  profile: { display_name?: string; bio?: string; is_private?: true }
  suggestions: string[]
  favourites: Favourite[]
  clips: PlannedClip[]
  /** What does not fit into the cell's limits and stays. */
  over: { suggestions: number; favourites: number }
}

const MOST_NAME_CHARS = 50
const MOST_BIO_CHARS = 300
const MOST_CAPTION_CHARS = 2200

export function planOf(offers: Offers, ticks: Ticks, matches: readonly Match[]): Plan {
  const profile: Plan['profile'] = {}
  const name = ticks.displayName && offers.displayName ? oneLine(offers.displayName, MOST_NAME_CHARS) : ''
  if (name) profile.display_name = name
  if (ticks.bio && offers.bio) profile.bio = cut(offers.bio, MOST_BIO_CHARS)
  if (ticks.isPrivate && offers.isPrivate) profile.is_private = true
  const suggestions = ticks.suggestions ? offers.follows : []
  const favourites = FAVOURITE_KINDS.filter((kind) => ticks.favourites.includes(kind)).flatMap((kind) => offers.favourites[kind])
  return {
    profile,
    suggestions: suggestions.slice(0, MOST_SUGGESTIONS),
    favourites: favourites.slice(0, MOST_FAVOURITES),
    clips: ticks.posts ? clipsOf(offers.posts, matches, ticks.audience) : [],
    over: {
      suggestions: Math.max(0, suggestions.length - MOST_SUGGESTIONS),
      favourites: Math.max(0, favourites.length - MOST_FAVOURITES),
    },
  }
}

export function isNothing(plan: Plan): boolean {
  return Object.keys(plan.profile).length === 0 && plan.suggestions.length + plan.favourites.length + plan.clips.length === 0
}

/** The oldest first, so that the profile shows them in the order in which they were made. */
function clipsOf(posts: readonly Post[], matches: readonly Match[], audience: Ticks['audience']): PlannedClip[] {
  const clips = matches.flatMap(({ post: id, file }) => {
    const post = posts.find((one) => one.id === id)
    return post ? [{ post, file }] : []
  })
  clips.sort((one, other) => (one.post.when?.ms ?? 0) - (other.post.when?.ms ?? 0))
  return clips.map(({ post, file }) => ({
    post: post.id,
    file,
    caption: captionFor(post.caption),
    audience: audience === 'as-there' ? post.audience : 'only-me',
    madeWithAi: post.madeWithAi,
  }))
}

/** A caption that the cell takes: of more hashtags than it allows, the last ones become plain words. */
export function captionFor(text: string): string {
  const seen = new Set<string>()
  const parts = captionParts(cut(text, MOST_CAPTION_CHARS)).map((part) => {
    if (!part.tag) return part.text
    const tag = part.text.toLowerCase()
    if (!seen.has(tag) && seen.size >= MOST_HASHTAGS) return part.text.slice(1)
    seen.add(tag)
    return part.text
  })
  return parts.join('')
}

function oneLine(text: string, most: number): string {
  return cut(text.replace(/\s+/g, ' '), most)
}

/** The first `most` characters, never half of one. */
function cut(text: string, most: number): string {
  return [...text].slice(0, most).join('').trim()
}
