/** What the cell says of reports, statements and cases. */
import type { Reason } from '../messages/engine/cell.ts'

export const CATEGORIES = [
  'protection-of-minors', 'violence', 'cyber-violence', 'cyber-violence-against-women', 'illegal-or-harmful-speech', 'self-harm', 'scams-and-fraud',
  'data-protection-and-privacy-violations', 'intellectual-property-infringements', 'risk-for-public-security', 'unsafe-and-prohibited-products',
  'consumer-information', 'animal-welfare', 'negative-effects-on-civic-discourse-or-elections', 'other-violation-tc',
] as const
export type Category = (typeof CATEGORIES)[number] | 'not-specified-notice'
export type What = 'clip' | 'comment' | 'person' | 'message'
export type Act = 'remove' | 'adults' | 'label' | 'limit' | 'suspend'
export const LABELS = ['sensitive', 'misleading', 'made-with-ai'] as const
export const LIMITS = ['publish', 'comment', 'message'] as const

export interface Appeal {
  made_at: string
  due_at: string
  explanation: string
  outcome: 'waiting' | 'upheld' | 'reversed'
  answer: string
  decided_at: string | null
}
export interface Report {
  id: string
  what: What
  category: Category
  is_illegal: boolean
  explanation: string
  made_at: string
  outcome: 'waiting' | 'acted' | 'no-violation' | 'gone'
  answer: string
  decided_at: string | null
  may_appeal: boolean
  appeal_until: string | null
  appeal: Appeal | null
}
export interface Statement {
  id: string
  act: Act
  what: 'clip' | 'comment' | 'person'
  is_in_force: boolean
  ended_why: '' | 'reversed' | 'over'
  begun_at: string
  until: string | null
  countries: string[]
  label: (typeof LABELS)[number] | null
  acts: ('everything' | (typeof LIMITS)[number])[]
  is_illegal: boolean
  ground: string
  explanation: string
  facts: string
  category: Category
  is_notice: boolean
  is_report: boolean
  is_suggested: boolean
  appeal_until: string
  is_yours: boolean
  subject: string
  commit: string
  nonce: string
  may_appeal: boolean
  appeal: Appeal | null
}
export interface Queue {
  waiting: Record<string, number>
  appeals: number
  ends_at: string
  taken: number
  most: number
}
/** That a machine has pointed at what a case is about; what moderators made of such so far. */
export interface Suggestion {
  method: 'list' | 'rule' | 'copy'
  name: string
  version: string
  facts: Record<string, number>
  made_at: string
  confirmed: number
  dismissed: number
  decision_id: string | null
  clip_id: string | null
}
/** How a film is like another one of the same case: of the shorter one's stills, how many are near. */
export interface Alike {
  bits: number
  stills: number
  of: number
}
export interface Case {
  id: string
  state: 'open' | 'appealed'
  category: Category
  opened_at: string
  acts: Act[]
  subjects: { what: What; person: string; clip_id: string | null; comment_id: string | null; message_report_id: string | null; text: string; alike: Alike | null }[]
  reports: { category: Category; is_illegal: boolean; explanation: string; made_at: string }[]
  suggestions: Suggestion[]
  notes: { staff: string; words: string; made_at: string }[]
  appeals: Appeal[]
  statements: Statement[]
  before: { id: string; act: Act; category: Category; begun_at: string; ended_why: string }[]
  /** Whether it may count who sent a notice, and a name was given. */
  has_names: boolean
  /** Whether the cell is told where people are. */
  knows_countries: boolean
}
/** A read of one report of messages, that a moderator has asked for in a case. */
export interface Disclosure {
  id: string
  message_report_id: string
  asked_at: string
  signatures: number
  is_granted: boolean
  ends_at: string
}
/** What was disclosed in it, in words. */
export interface Disclosed {
  reason: Reason
  made_at: string
  messages: { kind: 'text' | 'clip' | 'photo' | 'voice' | 'recall' | 'name' | 'unknown'; text: string; clip_id: string | null }[]
}
export interface Transparency {
  entries: number
  year: number | null
  notices: Record<string, number>
  notices_by_category: Record<string, number>
  notices_by_outcome: Record<string, number>
  decisions: Record<string, number>
  decisions_by_category: Record<string, number>
  decisions_by_source: Record<string, number>
  automated: Record<string, number>
  automated_share: number | null
  appeals: Record<string, number>
  government_requests: Record<string, number>
  /** By month, and over six of them; words where there are fewer than ten. */
  active_at_least: Record<string, number | string>
  active_at_most: Record<string, number | string>
  active_average: Record<string, number | string>
  hours_to_decide: number | null
  hours_to_answer_appeals: number | null
}
