/** How news are said and shown, and where they lead. Pure, so that it can be tested without a browser. */
import type { CellKind, ChosenKind, Notice } from '../app/api/shapes.ts'

type Kind = Notice['kind']

const OF_CELL: ReadonlySet<Kind> = new Set<CellKind>([
  'data-read', 'operator-change', 'withheld', 'withheld-ended', 'report-decided', 'decision', 'appeal-decided',
  'family-paired', 'family-limits', 'family-answered', 'family-ending', 'family-ended',
])

/** Can a person turn news of this kind off? */
export function isChosen(kind: Kind): kind is ChosenKind {
  return kind !== 'digest' && !OF_CELL.has(kind)
}

/** What one person did. */
export const SAID = {
  like: 'notify.like',
  follow: 'notify.follow',
  'follow-request': 'notify.request',
  'follow-accepted': 'notify.accepted',
  'data-read': 'notify.read',
  'operator-change': 'notify.operator',
  withheld: 'notify.withheld',
  'withheld-ended': 'notify.withheld-ended',
  'report-decided': 'notify.report-decided',
  decision: 'notify.decision',
  'appeal-decided': 'notify.appeal-decided',
  'family-paired': 'notify.family-paired',
  'family-limits': 'notify.family-limits',
  'family-answered': 'notify.family-answered',
  'family-ending': 'notify.family-ending',
  'family-ended': 'notify.family-ended',
  comment: 'notify.comment',
  'comment-reply': 'notify.comment-reply',
  'comment-like': 'notify.comment-like',
  'comment-held': 'notify.comment-held',
  mention: 'notify.mention',
  repost: 'notify.repost',
  'clip-reply': 'notify.clip-reply',
  'message-request': 'notify.message-request',
  digest: 'notify.digest',
} as const satisfies Record<Kind, string>

/** The same of several people, where a line can be of several. */
export const SAID_OF_MANY = {
  like: 'notify.like.many',
  follow: 'notify.follow.many',
  'follow-request': 'notify.request.many',
  comment: 'notify.comment.many',
  'comment-like': 'notify.comment-like.many',
  'comment-held': 'notify.comment-held.many',
  repost: 'notify.repost.many',
} as const satisfies Partial<Record<Kind, string>>

export const ICONS = {
  like: 'heart',
  follow: 'people',
  'follow-request': 'people',
  'follow-accepted': 'check',
  'data-read': 'key',
  'operator-change': 'people',
  withheld: 'hide',
  'withheld-ended': 'check',
  'report-decided': 'flag',
  decision: 'flag',
  'appeal-decided': 'check',
  'family-paired': 'people',
  'family-limits': 'clock',
  'family-answered': 'check',
  'family-ending': 'people',
  'family-ended': 'people',
  comment: 'comment',
  'comment-reply': 'comment',
  'comment-like': 'heart',
  'comment-held': 'hide',
  mention: 'person',
  repost: 'retry',
  'clip-reply': 'camera',
  'message-request': 'comment',
  digest: 'moon',
} as const satisfies Record<Kind, string>

export const FILLED: ReadonlySet<Kind> = new Set<Kind>(['like', 'comment-like'])

/** About what was said: the comments open with the clip. */
export const ABOUT_WORDS: ReadonlySet<Kind> = new Set<Kind>(['comment', 'comment-reply', 'comment-like', 'comment-held', 'mention'])

/** Where a piece of news leads; a digest only unfolds. */
export function target(kind: Kind, handle: string | undefined, clipId: string | null, aboutId: string | null = null): string {
  if (kind === 'withheld' || kind === 'withheld-ended') return `/notices/${aboutId ?? ''}`
  if (kind === 'decision') return `/statements/${aboutId ?? ''}`
  if (kind === 'report-decided') return '/reports'
  if (kind === 'appeal-decided') return '/statements'
  if (kind.startsWith('family-')) return '/settings/family'
  if (kind === 'follow-request') return '/requests'
  if (kind === 'message-request') return '/messages'
  if (kind === 'digest') return '/notifications'
  if (handle === undefined) return '/settings/data'
  if (!clipId) return `/@${handle}`
  return ABOUT_WORDS.has(kind) ? `/c/${clipId}?comments=1` : `/c/${clipId}`
}

/** Beyond it the cell does not count. */
const COUNTED = 100
const NAMED = 2

/** Who did it: names, and how many others are left (null: more than are counted). */
export function whoOf(notice: Pick<Notice, 'by' | 'others' | 'people'>): { names: string[]; left: number | null } {
  const known = notice.by ? [notice.by, ...notice.others] : []
  const named = known.slice(0, known.length === notice.people && known.length <= NAMED + 1 ? known.length : NAMED)
  const left = notice.people >= COUNTED ? null : Math.max(0, notice.people - named.length)
  return { names: named.map((one) => one.display_name), left }
}

/** Is it night on a clock? Nothing is announced then to a minor. */
export function isNight(hour: number, begins = 22, ends = 7): boolean {
  return hour >= begins || hour < ends
}
