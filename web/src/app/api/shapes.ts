/** The shapes of the API that the client uses, one name each. */

export type AgeBand = 'under-13' | '13-15' | '16-17' | '18+'
export type Audience = 'everyone' | 'friends' | 'only-me'
/** Those for whom a clip is, or those for whom it is not. */
export type ListKind = 'share-with' | 'hide-from'
/** How many days back others see one's clips; null: all of them. */
export type PastDays = 3 | 30 | 183 | null
export type WhoMay = 'everyone' | 'followers' | 'friends' | 'nobody'
export type Follows = 'no' | 'pending' | 'yes'
export type FeedKind = 'for-you' | 'following' | 'friends' | 'latest'

export interface Page<T> {
  items: T[]
  next: string | null
}

export interface Author {
  handle: string
  display_name: string
  avatar_url: string | null
}

export interface Me extends Author {
  id: string
  /** When the account is erased, if its owner asked for that. */
  leaving_at: string | null
  bio: string
  locale: string
  age_band: AgeBand
  is_private: boolean
  has_password: boolean
  recovery_codes_left: number
}

export interface SignedUp {
  me: Me
  recovery_codes: string[]
}

export interface Profile extends Author {
  id: string
  bio: string
  is_private: boolean
  followers: number
  following: number
  clips: number
  viewer: { follows: Follows; follows_you: boolean; is_friend: boolean; is_me: boolean; has_blocked: boolean; mutes: boolean; restricts: boolean } | null
  can_see_clips: boolean
  /** Their address in another cell, where they went. */
  moved_to?: string | null
  shows_likes: boolean
}

/** People under a name, for their owner only. */
export interface Circle {
  id: string
  name: string
  people: Author[]
}

/** For whom a clip is, as its author sees it. */
export interface ClipAudience {
  audience: Audience
  kind: ListKind | null
  people: Author[]
}

export interface Card extends Author {
  follows: Follows
}

/** A rendition cut into seconds: after `init_bytes` one segment follows the other to the end of the file. */
export interface Segments {
  url: string
  size_bytes: number
  init_bytes: number
  sizes: number[]
  durations_ms: number[]
  codecs: string
}

export interface Rendition {
  name: string
  width: number
  height: number
  bitrate_bps: number
  size_bytes: number
  mime: string
  url: string
  /** With the same address where the file itself is fragmented. */
  segments: Segments | null
  /** The same in AV1, for some clips that many watch. */
  av1: (Segments & { bitrate_bps: number }) | null
}

export interface Refusal {
  code: string
  sentence: string
  next_step: string
}

export interface Clip {
  id: string
  author: Author
  caption: string
  hashtags: string[]
  audience: Audience
  /** For the author only. */
  audience_list: ListKind | null
  state: 'processing' | 'published' | 'refused'
  /** Where the author is now, where the clip was asked for by itself. */
  author_moved_to?: string | null
  /** The label of its author. */
  made_with_ai: boolean
  /** What sound content credentials in the uploaded file said. */
  ai_in_file: 'made' | 'partly' | null
  /** Whose credentials the file carried and whether they are sound; null where it carried none. */
  credentials: { state: 'trusted' | 'valid' | 'invalid' | 'unchecked'; code: string | null; signer: string | null; says_ai: 'made' | 'partly' | null } | null
  published_at: string | null
  created_at: string
  likes: number
  comments: number
  comments_by: WhoMay | null
  /** The comment that the clip answers. */
  answers_id: string | null
  favourites: number
  reposts: number
  /** Null where there is none, or where it is not for this person. Without a name it is the original sound of its owner. */
  sound: { id: string; name: string; by: Author; clip_id: string } | null
  /** Who passed it on, in the feed of their followers. */
  reposted_by: Author | null
  duration_ms: number | null
  width: number | null
  height: number | null
  renditions: Rendition[]
  /** The same as HLS has it; null where nothing is in segments. */
  playlist_url: string | null
  poster_url: string | null
  /** The same in fewer bytes, and two seconds that move: a while after the clip was published. */
  poster_avif_url: string | null
  preview_url: string | null
  /** What it will look like, before the poster has come (`clips/poster/thumbhash.ts`). */
  thumbhash: string | null
  captions: { url: string; language: string } | null
  has_audio: boolean
  progress: number | null
  refusal: Refusal | null
  /** For the author of a clip that cannot be played yet. */
  way?: Way | null
  /** Of decisions by moderators, each with its statement. */
  labels: { label: 'sensitive' | 'misleading' | 'made-with-ai'; statement: string }[]
  /** The clip that it is made from, for those who may see that one. */
  made_from?: { how: 'duet' | 'stitch'; clip_id: string; by: Author } | null
  viewer: { liked: boolean; favourited: boolean; reposted: boolean; follows: Follows; is_author: boolean; may_quote?: boolean } | null
}

/** How far a clip is: how many are made before it, about how many seconds are left, what the operator has to mend first. */
export interface Way { progress: number; ahead: number; left_s: number | null; waits_for: 'disk' | 'store' | null }

/** Without a profile, or learning from what the person watches. */
export type Mode = 'public' | 'learning'

export interface ForYouPage<Item = Clip> {
  page: string
  mode: Mode
  items: Item[]
  /** The number of each item's slot. */
  slots: number[]
  /** Null when there is nothing new worth showing. */
  next: string | null
  /** Brings later what is new since. */
  resume: string
}

export type SignalKind =
  | 'shown' | 'watched' | 'replayed' | 'liked' | 'commented' | 'shared' | 'followed'
  | 'not-interested' | 'hid-author' | 'hid-hashtag' | 'hid-sound' | 'reported'

/** What happened to the clip in a slot of a page. */
export interface Signal {
  page: string
  slot: number
  kind: SignalKind
  ms?: number
  loops?: number
  hashtag?: string
}

export type Lever = 'hide-author' | 'hide-hashtag' | 'not-interested' | 'switch-to-public' | 'switch-to-learning' | 'reset'

export interface Why {
  clip_id: string
  source: string
  because: { kind: string; text: string } | null
  exploring: boolean
  chance: number
  score: number
  parts: { name: string; adds: number; share: number }[]
  mode: Mode
  weights_version: string | number
  levers: Lever[]
}

export interface ForYouSettings {
  mode: Mode
  /** False for minors. */
  may_learn: boolean
  since: string | null
  keeps_days: number
  events_kept: number
  hidden: { authors: { handle: string; display_name: string }[]; hashtags: string[]; sounds: { id: string; name: string; by: Author }[]; clips: number }
}

export interface NewClip {
  upload_id: string
  caption: string
  audience: Audience
  audience_list?: { kind: ListKind; handles: string[] } | null
  trim_start_ms?: number
  trim_end_ms?: number
  cover_ms?: number
  edit?: { pieces?: { start_ms: number; end_ms: number }[]; is_muted?: boolean; layers?: { png: string; start_ms?: number; end_ms?: number }[] }
  made_with_ai: boolean
  captions_vtt?: string
  captions_language?: string
  comments_by?: WhoMay
  answers?: string
  sound_id?: string
  sound_mode?: 'replace' | 'mix'
  lets_reuse?: boolean
  made_from?: { clip_id: string; how: 'duet' | 'stitch'; start_ms?: number; end_ms?: number }
  lets_quote?: boolean
}

export interface Session {
  id: string
  label: string
  created_at: string
  last_seen_on: string
  current: boolean
}

export interface Passkey {
  id: string
  name: string
  created_at: string
  last_used_on: string | null
  /** Made under this former name of the cell: it opens nothing any more. */
  former_host: string | null
}

export interface Contact {
  kind: 'email' | 'phone'
  value: string
}

/** Kinds of news that a person may turn off. */
export type ChosenKind =
  | 'like'
  | 'follow'
  | 'follow-request'
  | 'follow-accepted'
  | 'comment'
  | 'comment-reply'
  | 'comment-like'
  | 'comment-held'
  | 'mention'
  | 'repost'
  | 'clip-reply'
  | 'message-request'

/** What the cell itself tells, whatever a person has turned off. */
export type CellKind =
  | 'data-read'
  | 'operator-change'
  | 'withheld'
  | 'withheld-ended'
  | 'report-decided'
  | 'decision'
  | 'appeal-decided'
  | 'family-paired'
  | 'family-limits'
  | 'family-answered'
  | 'family-ending'
  | 'family-ended'

/** A line of the list: what `people` (100: or more) did, the newest three by name. */
export interface Notice {
  id: string
  kind: ChosenKind | CellKind | 'digest'
  /** Nobody where the cell itself tells. */
  by: Author | null
  others: Author[]
  people: number
  clip_id: string | null
  about_id: string | null
  created_at: string
  is_read: boolean
  /** What is in a digest. */
  counts: Partial<Record<Notice['kind'], number>>
}

/** What a person wants to be told, and when. */
export interface NoticeWishes {
  kinds: Record<ChosenKind, boolean>
  digest_at: number | null
  quiet_nights: boolean
  nights_are_quiet: boolean
  night_begins: number
  night_ends: number
  offset_minutes: number | null
}

/** Whether this cell wakes devices, and this one. */
export interface PushTold {
  is_offered: boolean
  key: string | null
  is_on: boolean
  woken_for: 'news' | 'message' | null
  locale: string
}

export interface Cell {
  name: string
  jurisdiction: string
  operator: string
  minimum_age_band: AgeBand
  version: string
  source_url: string
  /** Names that the cell had before; passkeys made under them open nothing here. */
  former_hosts: string[]
  limits: { max_upload_bytes: number; max_duration_ms: number; max_caption_chars: number }
}

export type * from './shapes-rights.ts'
export type * from './shapes-search.ts'
