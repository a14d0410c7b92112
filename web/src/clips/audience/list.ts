/** The list of a clip, as it is chosen: pure, so that it can be tested without a browser. */
import type { Audience, Author, ListKind } from '../../app/api/shapes.ts'

export interface Chosen {
  audience: Audience
  list: PeopleList | null
}

export interface PeopleList {
  kind: ListKind
  people: Author[]
}

/** As many people as a list has at most. */
export const MOST_LISTED = 200

/** What the radio buttons call it: some friends are friends with a list of those. */
export type Choice = Audience | 'some'

export function choiceOf({ audience, list }: Chosen): Choice {
  return audience === 'friends' && list?.kind === 'share-with' ? 'some' : audience
}

/** Another audience; the list stays where it goes with it. */
export function pick(before: Chosen, choice: Choice): Chosen {
  if (choice === 'some') return { audience: 'friends', list: before.list?.kind === 'share-with' ? before.list : { kind: 'share-with', people: [] } }
  if (choice === 'only-me') return { audience: choice, list: null }
  return { audience: choice, list: before.list?.kind === 'hide-from' ? before.list : null }
}

/** Other people on the list; nobody to hide from is no list. */
export function withPeople(before: Chosen, people: Author[]): Chosen {
  if (choiceOf(before) === 'some') return { ...before, list: { kind: 'share-with', people } }
  return { ...before, list: people.length > 0 ? { kind: 'hide-from', people } : null }
}

/** Whether it can be sent: what is shared with some is shared with somebody. */
export function isWhole(chosen: Chosen): boolean {
  return chosen.list === null || chosen.list.people.length > 0
}

/** The list as the cell wants it. */
export function wishOf(list: PeopleList | null): { kind: ListKind; handles: string[] } | null {
  return list && { kind: list.kind, handles: list.people.map((one) => one.handle) }
}

export function isSame(one: PeopleList | null, other: PeopleList | null): boolean {
  return JSON.stringify(wishOf(one)) === JSON.stringify(wishOf(other))
}
