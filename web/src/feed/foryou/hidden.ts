/** What a visitor does not want to see; it stays on the device. */
export interface Hidden {
  authors: string[]
  hashtags: string[]
  sounds: string[]
  clips: string[]
}

export type HiddenKind = keyof Hidden

/** More than this is forgotten, the oldest first. */
export const MOST_HIDDEN = 200

export const NOTHING: Hidden = { authors: [], hashtags: [], sounds: [], clips: [] }

interface Hideable {
  id: string
  author: { handle: string }
  hashtags: readonly string[]
  sound?: { id: string } | null
}

export function hides(hidden: Hidden, clip: Hideable): boolean {
  return (
    hidden.clips.includes(clip.id) ||
    hidden.authors.includes(clip.author.handle) ||
    (clip.sound != null && hidden.sounds.includes(clip.sound.id)) ||
    clip.hashtags.some((hashtag) => hidden.hashtags.includes(hashtag.toLowerCase()))
  )
}

export function hide(hidden: Hidden, kind: HiddenKind, value: string): Hidden {
  const wanted = kind === 'hashtags' ? value.toLowerCase() : value
  return { ...hidden, [kind]: [...hidden[kind].filter((one) => one !== wanted), wanted].slice(-MOST_HIDDEN) }
}

export function takeBack(hidden: Hidden, kind: HiddenKind, value: string): Hidden {
  return { ...hidden, [kind]: hidden[kind].filter((one) => one !== value) }
}

export function readHidden(text: string | null): Hidden {
  try {
    const told = JSON.parse(text ?? '{}') as Partial<Record<HiddenKind, unknown>>
    const list = (kind: HiddenKind) => (Array.isArray(told[kind]) ? told[kind].filter((one) => typeof one === 'string').slice(-MOST_HIDDEN) : [])
    return { authors: list('authors'), hashtags: list('hashtags'), sounds: list('sounds'), clips: list('clips') }
  } catch {
    return NOTHING
  }
}
