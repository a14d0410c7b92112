/** Which slides of a feed hold a player, however long one scrolls. */
import type { Clip } from '../app/api/shapes.ts'

/** One behind to go back at once, two ahead to be warm. */
export const BEHIND = 1
export const AHEAD = 2

/** No more than this many <video> elements exist; one spare covers the moment between two windows. */
export const MOST_PLAYERS = 5

/** The last button of a clip, if it has one: what it is called, and what it opens. */
export type More = (clip: Clip) => { label: string; testid: string; open: () => void } | undefined

export type Role = 'current' | 'next' | 'after-next' | 'previous' | 'none'

export function roleOf(index: number, current: number): Role {
  switch (index - current) {
    case 0:
      return 'current'
    case 1:
      return 'next'
    case AHEAD:
      return 'after-next'
    case -BEHIND:
      return 'previous'
    default:
      return 'none'
  }
}

/** How many places a slide is from the clip on screen; null where it holds no player. */
export function offsetOf(role: Role): number | null {
  return { current: 0, next: 1, 'after-next': AHEAD, previous: -BEHIND, none: null }[role]
}

/** First and last slide index with a player, inside a list of `length`. */
export function playerWindow(current: number, length: number): { first: number; last: number } {
  return { first: Math.max(0, current - BEHIND), last: Math.min(length - 1, current + AHEAD) }
}

/**
 * May a slide load its media yet? The clip on screen has the whole line until it has painted;
 * then the next one; then the one after it.
 */
export function mayLoad(role: Role, currentReady: boolean, nextReady: boolean): boolean {
  if (role === 'current' || role === 'previous') return true
  if (role === 'next') return currentReady
  if (role === 'after-next') return currentReady && nextReady
  return false
}
