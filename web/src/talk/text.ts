/** Finds handles in a text by the rule of the cell: `@`, then 3 to 24 of a-z, 0-9, `_` and `.`, no dot at the end; not inside a word or an address. */

export interface TextPart {
  text: string
  /** The handle that this part is a link to. */
  handle?: string
}

const WRITTEN = /(?<![\p{L}\p{N}_@./#&])@([A-Za-z0-9_.]{3,25})(?![\p{L}\p{N}_@])/gu
const HANDLE = /^(?=.*[a-z])(?!\.)(?!.*\.\.)[a-z0-9_.]{3,24}(?<!\.)$/

/** The text cut into plain pieces and mentions, in order; joined again they are the text. With `known`, only these handles are links. */
export function mentionParts(text: string, known?: readonly string[]): TextPart[] {
  const parts: TextPart[] = []
  let end = 0
  for (const match of text.matchAll(WRITTEN)) {
    const written = (match[1] ?? '').replace(/\.+$/, '')
    const handle = written.toLowerCase()
    if (!HANDLE.test(handle) || (known && !known.includes(handle))) continue
    if (match.index > end) parts.push({ text: text.slice(end, match.index) })
    parts.push({ text: `@${written}`, handle })
    end = match.index + 1 + written.length
  }
  if (end < text.length) parts.push({ text: text.slice(end) })
  return parts
}

/** The beginning of a handle that stands before the cursor, and where it starts; null where one writes none. */
export function begun(text: string, cursor: number): { at: number; begins: string } | null {
  const match = /(?:^|[^\p{L}\p{N}_@./#&])@([A-Za-z0-9_.]{0,24})$/u.exec(text.slice(0, cursor))
  if (!match) return null
  const begins = match[1] ?? ''
  return { at: cursor - begins.length - 1, begins }
}
