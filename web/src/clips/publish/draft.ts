/** The clip one is making, kept on this device until it is posted or thrown away. */
import type { Reach } from '../../abroad/shapes.ts'
import type { Audience, NewClip, WhoMay } from '../../app/api/shapes.ts'
import { joined, momentIn, type Piece } from '../../media/pieces.ts'
import type { Plan } from '../../media/shrink.ts'
import type { FilmText } from '../../media/texts.ts'
import { isWhole, type Trim } from '../../media/trim.ts'
import { wishOf, type PeopleList } from '../audience/list.ts'

/** The clip that one is made from: beside it, or after a part of it. No end yet: as much as may be. */
export interface MadeFrom {
  clipId: string
  how: 'duet' | 'stitch'
  startMs: number
  endMs: number
}

export interface Draft {
  file: File
  caption: string
  audience: Audience
  /** The people for whom it is, or is not. Drafts of older versions have none. */
  list?: PeopleList | null
  madeWithAi: boolean
  /** How far it goes; without a word: no further than the region. */
  reach?: Reach
  /** Who may comment; null: as in the settings. Drafts of older versions have neither. */
  commentsBy?: WhoMay | null
  /** A sound of another clip, in the place of the film's own or with it. */
  sound?: { id: string; mode: 'replace' | 'mix' } | null
  /** Whether others may use the film's own sound; without a word: as the cell does for the person's age. */
  letsReuse?: boolean
  madeFrom?: MadeFrom | null
  /** Whether others may make duets and stitches with it; without a word: as in the settings. */
  letsQuote?: boolean
  /** The comment that the clip answers. */
  answers?: string | null
  trim: Trim | null
  /** What is kept, in the order in which it plays; with one piece it is the trim. Drafts of older versions have none. */
  pieces?: Piece[] | null
  muted?: boolean
  texts?: FilmText[]
  /** The texts as the cell takes them, drawn when one posts. */
  layer?: string | null
  coverMs: number
  captions: { text: string; language: string; name: string } | null
  /** How small the film is to be made here before it is sent; null: it goes as it is. Without a word: nobody has chosen yet. */
  shrink?: Plan | null
  /** The film has more bytes than the cell takes: it goes smaller, or not at all. */
  mustShrink?: boolean
  /** The film so made, which is sent in its place. */
  small?: File | null
  /** "Post" was pressed: the upload goes on by itself. */
  posting: boolean
  /** The finished upload, when the file is at the cell already. */
  uploadId: string | null
  personId: string
}

/** A clip of which only the film is known. */
export function newDraft(file: File, personId: string, answers: string | null = null, sound: string | null = null, pieces: Piece[] | null = null): Draft {
  return { file, pieces, answers, sound: sound ? { id: sound, mode: 'replace' } : null, caption: '', audience: 'everyone', madeWithAi: false, trim: null, coverMs: 0, captions: null, posting: false, uploadId: null, personId }
}

/** What is asked of the cell for a draft whose film has arrived there. */
export function bodyOf(draft: Draft, uploadId: string, durationMs: number): NewClip {
  const body: NewClip = { upload_id: uploadId, caption: draft.caption, audience: draft.audience, made_with_ai: draft.madeWithAi }
  const pieces = joined(draft.pieces ?? [])
  const edit: NonNullable<NewClip['edit']> = {}
  if (pieces.length > 1) {
    edit.pieces = pieces.map((piece) => ({ start_ms: piece.startMs, end_ms: piece.endMs }))
    // Counted in what is made; the pieces say where it is in the film.
    const coverMs = momentIn(pieces, draft.coverMs)
    if (coverMs > 0) body.cover_ms = coverMs
  } else if (draft.coverMs > 0) body.cover_ms = draft.coverMs
  if (draft.muted) edit.is_muted = true
  // The other's part of a stitch stays as they made it.
  const sinceMs = draft.madeFrom?.how === 'stitch' ? Math.max(0, draft.madeFrom.endMs - draft.madeFrom.startMs) : 0
  if (draft.layer) edit.layers = [{ png: draft.layer, ...(sinceMs > 0 ? { start_ms: sinceMs } : {}) }]
  if (Object.keys(edit).length > 0) body.edit = edit
  const trim = pieces[0] ?? draft.trim
  if (!edit.pieces && trim && !isWhole(trim, durationMs)) {
    body.trim_start_ms = trim.startMs
    body.trim_end_ms = trim.endMs
  }
  if (draft.list) body.audience_list = wishOf(draft.list)
  if (draft.commentsBy) body.comments_by = draft.commentsBy
  if (draft.answers) body.answers = draft.answers
  if (draft.sound) {
    body.sound_id = draft.sound.id
    body.sound_mode = draft.sound.mode
  } else if (draft.letsReuse !== undefined) body.lets_reuse = draft.letsReuse
  if (draft.madeFrom) {
    const { clipId, how, startMs, endMs } = draft.madeFrom
    body.made_from = how === 'duet' ? { clip_id: clipId, how } : { clip_id: clipId, how, start_ms: startMs, ...(endMs > 0 ? { end_ms: endMs } : {}) }
  } else if (draft.letsQuote !== undefined) body.lets_quote = draft.letsQuote
  if (draft.captions) {
    body.captions_vtt = draft.captions.text
    body.captions_language = draft.captions.language
  }
  return body
}

const STORE = 'drafts'
const KEY = 'current'

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open('luciole', 1)
    request.onupgradeneeded = () => request.result.createObjectStore(STORE)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('no store'))
  })
}

async function within<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T | null> {
  try {
    const database = await open()
    try {
      return await new Promise<T>((resolve, reject) => {
        const request = act(database.transaction(STORE, mode).objectStore(STORE))
        request.onsuccess = () => resolve(request.result)
        request.onerror = () => reject(request.error ?? new Error('no store'))
      })
    } finally {
      database.close()
    }
  } catch {
    // No room, or a private window: a draft is a convenience, posting works without it.
    return null
  }
}

export async function keepDraft(draft: Draft): Promise<void> {
  await within('readwrite', (store) => store.put(draft, KEY))
}

/** The draft of this person, if there is one; another person's is not shown. */
export async function keptDraft(personId: string): Promise<Draft | null> {
  const draft = (await within<Draft | undefined>('readonly', (store) => store.get(KEY))) ?? null
  return draft && draft.personId === personId ? draft : null
}

export async function dropDraft(): Promise<void> {
  await within('readwrite', (store) => store.delete(KEY))
}
