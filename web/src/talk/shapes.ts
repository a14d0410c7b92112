/** The shapes of conversation. */
import type { Author, Page, WhoMay } from '../app/api/shapes.ts'

export type { WhoMay }
export type Order = 'best' | 'new'

export interface Comment {
  id: string
  clip_id: string
  /** The head of its thread; null: it is one. */
  parent_id: string | null
  by: Author
  text: string
  /** The handles in the text that are links. */
  mentions: string[]
  /** Why it waits for the author of the clip. */
  held_for: 'words' | 'restricted' | null
  likes: number
  replies: number
  is_pinned: boolean
  is_by_author: boolean
  liked_by_author: boolean
  /** Clips that answer it. */
  answers: { clip_id: string; handle: string }[]
  created_at: string
  viewer: { liked: boolean; is_writer: boolean; is_author: boolean } | null
}

export interface CommentsPage extends Page<Comment> {
  comments: number
  comments_by: WhoMay
  may_comment: boolean
}

export interface Choices {
  comments_by: WhoMay
  mentions_by: WhoMay
  filter_words: string[]
}

export const MOST_CHARS = 500
