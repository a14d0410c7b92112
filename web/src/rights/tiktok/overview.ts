/** What an archive contains, section by section, before anything is taken from it. */
import { countOf, fieldsOf, isEmpty, isNumbered, plain } from './field.ts'
import { isMap, type Json } from './json.ts'
import { ArchiveRefused } from './refused.ts'
import { FATES, FIELDS, generationOf, sectionOf, type Fate, type Generation, type SectionId } from './sections.ts'

/** One place of a section in the archive. */
export interface Place {
  name: string
  path: string
  value: Json
}

export interface Section {
  id: SectionId
  fate: Fate
  places: Place[]
  count: number
  /** Stands in two places with the same contents; counted once. */
  isTwice: boolean
}

/** What nobody has described yet. It is shown, and stays where it is. */
export interface Stranger {
  path: string
  count: number
}

export interface Overview {
  generation: Generation | null
  sections: Section[]
  strangers: Stranger[]
  /** Keys that stood twice in one map; their values were joined. */
  keysTwice: string[]
}

const MOST_PLACES_TOLD = 200
/** Sections that are no lists. */
const OF_FIELDS = new Set<SectionId>(['profile', 'settings', 'autofill'])
const ORDER = Object.keys(FATES) as SectionId[]

/** Throws ArchiveRefused for JSON that is something else. */
export function overviewOf(archive: Json, keysTwice: string[] = []): Overview {
  if (!isMap(archive)) throw new ArchiveRefused('archive-not-tiktok')
  const found = new Map<SectionId, Place[]>()
  const strangers = new Map<string, number>()
  for (const [chapter, sections] of Object.entries(archive)) {
    const own = sectionOf('', chapter)
    // A chapter that is a section itself, or is empty in another way than the others.
    if (!isMap(sections)) {
      if (own) add(found, own.id, { name: chapter, path: chapter, value: sections })
      else strangers.set(chapter, countOf(sections))
      continue
    }
    for (const [name, value] of Object.entries(sections)) {
      const path = `${chapter} › ${name}`
      const section = sectionOf(chapter, name)
      if (section) add(found, section.id, { name, path, value })
      if (!section?.isKnown) strangers.set(path, countOf(value))
    }
  }
  if (found.size === 0) throw new ArchiveRefused('archive-not-tiktok')
  const sections = ORDER.filter((id) => found.has(id)).map((id) => sectionFrom(id, found.get(id) ?? []))
  for (const { id, places } of sections) {
    const known = FIELDS[id]
    if (known) for (const place of places) strangersIn(place.value, place.path, known, strangers)
  }
  return {
    generation: generationOf(Object.keys(archive)),
    sections,
    strangers: [...strangers].slice(0, MOST_PLACES_TOLD).map(([path, count]) => ({ path, count })),
    keysTwice,
  }
}

function add(found: Map<SectionId, Place[]>, id: SectionId, place: Place): void {
  const places = found.get(id)
  if (places) places.push(place)
  else found.set(id, [place])
}

function sectionFrom(id: SectionId, all: Place[]): Section {
  const places: Place[] = []
  for (const place of all) {
    const isRepeated = places.some((other) => plain(other.name) === plain(place.name) && isSame(other.value, place.value))
    if (!isRepeated) places.push(place)
  }
  const count = places.reduce((sum, place) => sum + (OF_FIELDS.has(id) ? fieldsOf : countOf)(place.value), 0)
  return { id, fate: FATES[id], places, count, isTwice: places.length < all.length && count > 0 }
}

function isSame(first: Json, second: Json): boolean {
  return (isEmpty(first) && isEmpty(second)) || JSON.stringify(first) === JSON.stringify(second)
}

function strangersIn(value: Json, path: string, known: ReadonlySet<string>, found: Map<string, number>): void {
  if (Array.isArray(value)) {
    for (const item of value) strangersIn(item, path, known, found)
  } else if (isMap(value)) {
    const isList = isNumbered(value)
    for (const [key, child] of Object.entries(value)) {
      const isKnown = isList || known.has(plain(key))
      const place = isList ? path : `${path} › ${key}`
      if (isKnown) strangersIn(child, place, known, found)
      else if (found.size < MOST_PLACES_TOLD || found.has(place)) found.set(place, (found.get(place) ?? 0) + countOf(child))
    }
  }
}
