/** Shapes of what leaves the cell, and of what has left. */

export type Act = 'clip' | 'comment' | 'fediverse'
export type Reach = 'region' | 'cells' | 'fediverse'

export interface Peer {
  name: string
  display_name: string
  operator: string
  jurisdiction: string
}

export interface Consent {
  act: Act
  given_at: string
  /** Names of the cells for which it holds now. */
  covers: string[]
  is_suspended: boolean
  /** The text or the countries are others by now: asked before the next thing leaves. */
  asks_again: boolean
  peers: { name: string }[]
}

/** Null: a few, or none. */
export interface Total {
  peer: string
  likes: number | null
  shares: number | null
  followers: number | null
}

export interface Abroad {
  cell: Peer
  peers: Peer[]
  has_fediverse: boolean
  consents: Consent[]
  totals: Total[]
}

/** What is read before a yes; `sha256` is of exactly this text. */
export interface CrossingText {
  act: Act
  version: number
  locale: string
  sha256: string
  /** ISO 3166 codes of the countries under whose law the cells are. */
  countries: string[]
  leaves: string[]
  stays: string[]
  to: string[]
  ground: string
  recall: string
}

export interface Place {
  reach: Reach
  cells: { peer: string; state: 'offered' | 'crossed' }[]
  totals: Total[]
}

export interface Crossing {
  id: string
  kind: 'person' | 'clip' | 'comment' | 'gone' | 'move'
  subject_kind: 'person' | 'clip' | 'comment'
  subject_id: string
  peer: string
  operator: string
  jurisdiction: string
  reason: string
  state: 'offered' | 'crossed' | 'refused' | 'replaced'
  has_receipt: boolean
  offered_at: string
  settled_at: string | null
  can_revoke: boolean
  /** A recall that the cell has not taken for a week. */
  is_owed: boolean
  /** When a recall that was refused is asked for again; null where it is not. */
  again_at: string | null
  refusals: number
}
