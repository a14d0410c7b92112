/** The clip one is making, kept on this device until it is posted or thrown away. */
import type { Audience, NewClip, WhoMay } from '../../app/api/shapes.ts'
import { isWhole, type Trim } from '../../media/trim.ts'

export interface Draft {
  file: File
  caption: string
  audience: Audience
  madeWithAi: boolean
  /** Who may comment; null: as in the settings. Drafts of older versions have neither. */
  commentsBy?: WhoMay | null
  /** The comment that the clip answers. */
  answers?: string | null
  trim: Trim | null
  coverMs: number
  captions: { text: string; language: string; name: string } | null
  /** "Post" was pressed: the upload goes on by itself. */
  posting: boolean
  /** The finished upload, when the file is at the cell already. */
  uploadId: string | null
  personId: string
}

/** A clip of which only the film is known. */
export function newDraft(file: File, personId: string, answers: string | null = null): Draft {
  return { file, answers, caption: '', audience: 'everyone', madeWithAi: false, trim: null, coverMs: 0, captions: null, posting: false, uploadId: null, personId }
}

/** What is asked of the cell for a draft whose film has arrived there. */
export function bodyOf(draft: Draft, uploadId: string, durationMs: number): NewClip {
  const body: NewClip = { upload_id: uploadId, caption: draft.caption, audience: draft.audience, made_with_ai: draft.madeWithAi }
  if (draft.trim && !isWhole(draft.trim, durationMs)) {
    body.trim_start_ms = draft.trim.startMs
    body.trim_end_ms = draft.trim.endMs
  }
  if (draft.commentsBy) body.comments_by = draft.commentsBy
  if (draft.answers) body.answers = draft.answers
  if (draft.coverMs > 0) body.cover_ms = draft.coverMs
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
