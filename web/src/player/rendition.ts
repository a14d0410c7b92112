/** Which rendition to play: the smallest that fills the stage, and that the line can carry. */
import type { Rendition } from '../app/api/shapes.ts'

export interface Conditions {
  /** Size of the stage in CSS pixels. */
  stageWidth: number
  stageHeight: number
  pixelRatio: number
  /** What the line carries, in bits per second; null when nobody knows. */
  lineBps: number | null
  /** The person asked to save data. */
  saveData: boolean
}

/** Video looks sharp from about this share of the screen's own pixels. */
const ENOUGH = 0.6
/** Pixel ratios above 2 cannot be told apart in moving pictures. */
const RATIO_CAP = 2
/** Share of the line that a clip may use; the rest warms the next ones. */
const LINE_SHARE = 0.7

/** How much of the picture's width the stage needs, in pixels of the file. */
export function widthNeeded(clip: { width: number; height: number }, at: Conditions): number {
  const ratio = Math.min(at.pixelRatio, RATIO_CAP)
  const shape = clip.width / clip.height || 9 / 16
  const shown = fills(shape, at.stageWidth / at.stageHeight)
    ? Math.max(at.stageWidth, at.stageHeight * shape)
    : Math.min(at.stageWidth, at.stageHeight * shape)
  return shown * ratio * ENOUGH
}

/** Does a picture of this shape cover the stage (cut a little), rather than lie inside it? */
export function fills(shape: number, stageShape: number): boolean {
  const quotient = shape / stageShape
  return quotient > 0.8 && quotient < 1.35
}

/** A quality of a clip in segments, as far as the line is concerned. */
export interface Rung {
  readonly bitrate_bps: number
  readonly segments: { readonly sizes: readonly number[] }
}

/**
 * At which rung a clip goes on that has begun at `at`: at a lower one where a line of `bps` does not carry its own,
 * down to the lowest; never at one that is cut elsewhere, and never higher, which would be seen.
 */
export function goesOnAt(ladder: readonly Rung[], at: number, bps: number): number {
  let rung = at
  while (rung > 0 && ladder[rung]!.bitrate_bps > bps && ladder[rung - 1]!.segments.sizes.length === ladder[at]!.segments.sizes.length) rung -= 1
  return rung
}

export function chooseRendition(renditions: readonly Rendition[], at: Conditions): Rendition | undefined {
  const ladder = [...renditions].sort((a, b) => a.width - b.width || a.bitrate_bps - b.bitrate_bps)
  if (ladder.length === 0) return undefined
  const largest = ladder[ladder.length - 1]!
  const need = widthNeeded(largest, at) * (at.saveData ? 0.5 : 1)
  let index = ladder.findIndex((rendition) => rendition.width >= need)
  if (index < 0) index = ladder.length - 1
  const line = at.lineBps
  if (line !== null) while (index > 0 && ladder[index]!.bitrate_bps > line * LINE_SHARE) index -= 1
  return ladder[index]
}
