/** Shapes of looking for people, clips, hashtags and sounds. */

import type { Author, Card, Clip, Page } from './shapes.ts'

export interface FoundPerson extends Card {
  followers: number
}

/** A hashtag and how many public clips have it. */
export interface FoundHashtag {
  tag: string
  clips: number
}

/** Without a name it is the original sound of its owner. */
export interface FoundSound {
  id: string
  name: string
  owner: Author
  uses: number
}

export interface Overview {
  people: FoundPerson[]
  hashtags: FoundHashtag[]
  sounds: FoundSound[]
}

/** `near` are words that were taken for words of the query. */
export interface FoundClips extends Page<Clip> {
  near: string[]
}

export interface Trends {
  items: { tag: string; authors: number; clips: number; authors_before: number; usual: number; score: number }[]
  days_before: number
  least_authors: number
  least_score: number
}
