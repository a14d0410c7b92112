/** What the cell says of families. */
import type { AgeBand, Author } from '../../app/api/shapes.ts'

export interface Limits {
  daily_min: number | null
  sleep_from: string | null
  sleep_to: string | null
  keeps_private: boolean
  for_you_off: boolean
}
export interface Held {
  daily_min: number | null
  sleep: { begins: string; ends: string }[]
  keeps_private: boolean
  for_you_off: boolean
}
export interface Change {
  id: string
  /** The handle of the guardian. */
  by: string
  state: 'proposed' | 'in-force' | 'declined' | 'replaced'
  limits: Limits
  made_at: string
  answered_at: string | null
}
export interface Pairing {
  id: string
  person: Author
  /** The other one's. */
  side: 'guardian' | 'teen'
  sets_at_once: boolean
  ends_alone: boolean
  i_agreed: boolean
  they_agreed: boolean
  paired_at: string | null
  expires_at: string | null
  ends_at: string | null
  limits: Limits | null
  proposed: Limits | null
}
export interface FamilyTold {
  side: 'guardian' | 'teen'
  pairings: Pairing[]
  held: Held | null
  changes: Change[]
}
export interface Seen {
  pairing: Pairing
  age_band: AgeBand
  protections: { is_private: boolean; messages: 'nobody' | 'friends' | 'everyone'; for_you_learns: boolean; quiet_nights: boolean }
  own: { limit_min: number; quiet_from: string | null; quiet_to: string | null } | null
  days: { day: string; minutes: number }[]
  reported_at: string | null
  changes: Change[]
}
export const NO_LIMITS: Limits = { daily_min: null, sleep_from: null, sleep_to: null, keeps_private: false, for_you_off: false }
