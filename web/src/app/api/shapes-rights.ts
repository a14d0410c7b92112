/** Shapes of what people may do with what the cell holds about them. */

import type { Follows, Refusal } from './shapes.ts'

/** Handles to look for, out of another network's archive. */
export interface Suggestions {
  handles: string[]
}

export interface Favourites {
  items: { kind: 'video' | 'sound' | 'hashtag' | 'effect' | 'like'; link: string; day: string | null }[]
}

export type EntryClass = 'self' | 'automated' | 'staff' | 'legal' | 'export'

/** An entry of the log about the person. `opening` is, byte for byte, what `leaf` commits to together with `nonce`. */
export interface JournalEntry {
  n: number
  kind: string
  class: EntryClass
  at: string
  actor: string | null
  purpose: string | null
  columns: string[]
  expires: string | null
  note: string | null
  leaf: string
  nonce: string
  opening: string
  index: number | null
}

export interface JournalSummary {
  days: { day: string; counts: Partial<Record<EntryClass, number>> }[]
}

export interface Holdings {
  cell: { id: string; name: string; operator: string; jurisdiction: string; origin: string; version: string; objects: string }
  classes: { name: 'public' | 'shared' | 'personal' | 'secret'; says: string; items: { where: string[]; purpose: string; retention: string; border: string }[] }[]
  kept: { list: string; says: string; rows: number; is_more: boolean; size_bytes: number }[]
}

export interface Export {
  id: string
  state: 'queued' | 'running' | 'ready' | 'failed'
  progress: number
  size_bytes: number
  made_at: string
  expires_at: string
  file_url: string | null
}

export interface Erasure {
  state: string
  asked_at: string
  due_at: string
}

export interface ErasureAsked extends Erasure {
  /** With it anybody can ask what became of the erasure; shown once. */
  ticket: string
}

export interface ErasureReport extends Erasure {
  state: 'waiting' | 'erasing' | 'emptying' | 'erased'
  done_at: string | null
  /** When backups cannot be read any more at the latest, and when that came. */
  unreadable_by: string | null
  remains_gone_at: string | null
  removed: Record<string, number>
  entry: { leaf: string; nonce: string; opening: string; proof: string | null } | null
}

/** Follows and likes that came along from another cell and are not in force here. */
export interface Carried {
  follows: { what: string; made_at: string }[]
  likes: { what: string; made_at: string }[]
}

/** An export of another cell on its way into this account. */
export interface CellImport {
  id: string
  state: 'uploading' | 'queued' | 'running' | 'done' | 'refused'
  progress: number
  size_bytes: number
  offset_bytes: number
  made_at: string
  report: { cell_name: string; cell_origin: string; signed: 'here' | 'stated' | 'wrong' | 'missing'; counts: Record<string, Record<string, number>> } | null
  refusal: Refusal | null
}
