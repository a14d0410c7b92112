/** What the console's routes give, and how its numbers are written. No shape has a person in it, but `Waits`: who asks
 *  for an account and has none. */
import { locale } from '../app/i18n/index.svelte.ts'

export type Role = 'operator' | 'moderator' | 'auditor'
export type PageName = 'overview' | 'people' | 'joining' | 'clips' | 'queue' | 'jobs' | 'storage' | 'keys' | 'policies' | 'ledger' | 'acts'
export const PAGE_NAMES: readonly PageName[] = ['overview', 'people', 'joining', 'clips', 'queue', 'jobs', 'storage', 'keys', 'policies', 'ledger', 'acts']

export interface Shift {
  roles: Role[]
  role: Role | null
  ends_at: string | null
  pages: PageName[]
}
export interface Check {
  name: string
  health: 'well' | 'look' | 'bad' | 'unknown'
  value: number | null
}
export interface Overview {
  version: string
  checks: Check[]
}
export interface Figures {
  counted_at: string | null
  items: { name: string; value: number }[]
}
export interface Waits {
  id: string
  name: string
  words: string
  made_at: string
}
export interface Invited {
  id: string
  note: string
  uses_left: number
  expires_at: string
}
export const MODES = ['open', 'invitation', 'approval', 'closed'] as const
export type Mode = (typeof MODES)[number]
export interface Joining {
  registration: Mode
  as_set: Mode
  waiting: number
  invitations: number
  places: number
  requests: Waits[]
  invited: Invited[]
}
export interface Queue {
  categories: { category: string; waiting: number; oldest_at: string }[]
  appeals: number
  next_appeal_due: string | null
  most_a_day: number
  loads: { staff_id: string; taken: number; is_at_work: boolean }[]
}
export interface StuckJob {
  id: number
  name: string
  is_running: boolean
  attempts: number
  age_s: number
  stuck_s: number
}
export interface Jobs {
  counts: { name: string; waiting: number; running: number; stuck: number }[]
  stuck: StuckJob[]
  late: { waits_for: string; films: number; oldest_s: number }[]
}
export interface Storage {
  figures: Figures
  disks: { place: 'data' | 'objects'; free_bytes: number; total_bytes: number }[]
  mirrors: { cell_id: string; name: string; state: 'kept' | 'limit' | 'disk'; bytes: number; most_bytes: number; entries: number }[]
  objects_at: string
  quotas: { cell_bytes: number; person_bytes: number; clips_per_day: number; max_upload_bytes: number; min_free_bytes: number }
}
export interface Keys {
  root: string
  epoch_days: number
  epoch: number | null
  epoch_began: string
  ends: { at: string; epoch: number; destroyed: number }[]
  people: number | null
  guardian: { peer: string; is_on: boolean; since: string; held: number } | null
  public: { purpose: string; sha256: string }[]
}
export interface Policies {
  settings: { name: string; section: string; value: string; is_default: boolean }[]
  registration: string
  terms: { version: string; first_shown_at: string; agreed: number; is_present: boolean }[]
  has_imprint: boolean
  minimum_age_band: string
  ages: Record<string, number>
  ages_sha256: string
}
export interface Ledger {
  cell_id: string
  logs: {
    log: string
    size: number
    root: string
    witnesses: { name: string; is_own: boolean; seen_at: string }[]
    waiting: number
    read: number
    kinds: Record<string, number>
    gaps: { first: number; end: number }[]
  }[]
}
export interface Act {
  id: string
  at: string
  staff_id: string
  role: Role
  act: 'begin' | 'end' | 'look' | 'retry' | 'heal' | 'approve' | 'refuse' | 'invite' | 'withdraw' | 'registration'
  what: string
}
export interface Acts {
  items: Act[]
  next: string | null
  days: { day: string; acts: number; sha256: string; state: 'kept' | 'changed' | 'waiting' }[]
}

const BYTES = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const

/** 1234567 as "1.2 MB". */
export function size(bytes: number): string {
  const step = Math.min(BYTES.length - 1, bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3))
  return unit(bytes / 1000 ** step, BYTES[step] ?? 'byte', step === 0 ? 0 : 1)
}

/** 7300 seconds as "2 hr". */
export function lasting(seconds: number): string {
  if (seconds < 120) return unit(seconds, 'second')
  if (seconds < 7200) return unit(Math.floor(seconds / 60), 'minute')
  if (seconds < 172_800) return unit(Math.floor(seconds / 3600), 'hour')
  return unit(Math.floor(seconds / 86_400), 'day')
}

function unit(value: number, name: string, digits = 0): string {
  return new Intl.NumberFormat(locale(), { style: 'unit', unit: name, unitDisplay: 'short', maximumFractionDigits: digits }).format(value)
}
