/** The pieces of a film that become a clip, in the order in which they play. Milliseconds throughout, each counted in the film. */

import { SHORTEST_MS, type Trim } from './trim.ts'

export type Piece = Trim

/** As the cell has them (`edit_list.py`). */
export const MOST_PIECES = 16

/** Nearer than this to a place where something was left out, the clock of a recorder is not to be trusted. */
const JOINT_MS = 40

export function lengthOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + piece.endMs - piece.startMs, 0)
}

/** Cuts a piece in two, where both become as long as a clip may be at least; else leaves all as it is. */
export function split(pieces: readonly Piece[], index: number, atMs: number): Piece[] {
  const piece = pieces[index]
  if (!piece || !canSplit(pieces, index, atMs)) return [...pieces]
  const at = Math.round(atMs)
  return [...pieces.slice(0, index), { startMs: piece.startMs, endMs: at }, { startMs: at, endMs: piece.endMs }, ...pieces.slice(index + 1)]
}

export function canSplit(pieces: readonly Piece[], index: number, atMs: number): boolean {
  const piece = pieces[index]
  return piece !== undefined && pieces.length < MOST_PIECES && atMs - piece.startMs >= SHORTEST_MS / 2 && piece.endMs - atMs >= SHORTEST_MS / 2
}

/** Moves a piece by one place. */
export function move(pieces: readonly Piece[], index: number, by: -1 | 1): Piece[] {
  const next = [...pieces]
  const [one, other] = [next[index], next[index + by]]
  if (one && other) [next[index], next[index + by]] = [other, one]
  return next
}

/** Takes a piece out; the last one stays. */
export function remove(pieces: readonly Piece[], index: number): Piece[] {
  return pieces.length < 2 ? [...pieces] : pieces.filter((_, each) => each !== index)
}

/** The same with pieces that follow each other in the film as one. */
export function joined(pieces: readonly Piece[]): Piece[] {
  const found: Piece[] = []
  for (const piece of pieces) {
    const last = found.at(-1)
    if (last && last.endMs === piece.startMs) last.endMs = piece.endMs
    else found.push({ ...piece })
  }
  return found
}

/** A moment of the film, counted in what the pieces make; the beginning where no piece has it. */
export function momentIn(pieces: readonly Piece[], ms: number): number {
  let before = 0
  for (const piece of pieces) {
    if (ms >= piece.startMs && ms < piece.endMs) return Math.round(before + ms - piece.startMs)
    before += piece.endMs - piece.startMs
  }
  return 0
}

/** Which pieces of a recording are kept when some of its parts were taken back: `ends` are the ends of all parts, and `dropped` says which. */
export function keptParts(ends: readonly number[], dropped: ReadonlySet<number>): Piece[] {
  return ends.flatMap((endMs, index) => {
    if (dropped.has(index)) return []
    const [gapBefore, gapAfter] = [dropped.has(index - 1), dropped.has(index + 1)]
    const piece = { startMs: Math.round((ends[index - 1] ?? 0) + (gapBefore ? JOINT_MS : 0)), endMs: Math.round(endMs - (gapAfter ? JOINT_MS : 0)) }
    return piece.endMs > piece.startMs ? [piece] : []
  })
}
