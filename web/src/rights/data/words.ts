/** What an entry of the journal says, in plain words: which words, and what is put into them. Pure. */
import type { JournalEntry } from '../../app/api/shapes.ts'

const NOBODY: ReadonlyMap<string, string> = new Map()

export interface Said {
  /** The names of words, the most particular first; the first that there is counts. */
  keys: string[]
  params: Record<string, string>
}

/** A purpose may have a sentence of its own, `entry.<kind>.<purpose>`, another one for where there is no note, and one for
 *  where the person knows who it was. `names`: by the ids under which entries have them. */
export function said(entry: JournalEntry, names: ReadonlyMap<string, string> = NOBODY): Said {
  const own = `entry.${entry.kind}.${entry.purpose}`
  const name = names.get(entry.actor ?? '')
  return {
    keys: [...(name ? [`${own}.named`] : []), ...(entry.note === null ? [`${own}.bare`] : []), own, `entry.${entry.kind}.by.${entry.class}`, `entry.${entry.kind}`, `entry.other.by.${entry.class}`, 'entry.other'],
    params: { note: entry.note ?? '', actor: name ?? entry.actor ?? '', purpose: entry.purpose ?? '', kind: entry.kind },
  }
}

/** The fields that an entry names; null for "all of them". */
export function fieldsOf(entry: JournalEntry): string[] | null {
  return entry.columns.includes('*') ? null : entry.columns
}
