/**
 * Finds hashtags in a caption by the rule of the cell: `#`, a letter or digit, then letters with their marks, digits or `_`,
 * at most 60; not inside a word, an address or a character reference.
 */

export interface CaptionPart {
  text: string
  tag: boolean
}

const TAG = /(?<![\p{L}\p{N}_#&/])#([\p{L}\p{N}][\p{L}\p{N}\p{Mn}\p{Mc}_]*)/gu
const LONGEST_TAG = 60
/** More than these in one caption are refused. */
export const MOST_HASHTAGS = 30

/** The caption cut into plain pieces and hashtags, in order; joined again they are the caption. */
export function captionParts(caption: string): CaptionPart[] {
  const parts: CaptionPart[] = []
  let end = 0
  for (const match of caption.matchAll(TAG)) {
    if (captionLength(match[1] ?? '') > LONGEST_TAG) continue
    if (match.index > end) parts.push({ text: caption.slice(end, match.index), tag: false })
    parts.push({ text: match[0], tag: true })
    end = match.index + match[0].length
  }
  if (end < caption.length) parts.push({ text: caption.slice(end), tag: false })
  return parts
}

/** The tags without `#`, each once, as written first. */
export function hashtags(caption: string): string[] {
  const seen = new Map<string, string>()
  for (const part of captionParts(caption)) {
    const tag = part.text.slice(1)
    if (part.tag && !seen.has(tag.toLowerCase())) seen.set(tag.toLowerCase(), tag)
  }
  return [...seen.values()]
}

/** Length as a person counts it: a family emoji of seven code points is several characters, but never half a one. */
export function captionLength(caption: string): number {
  return [...caption].length
}
