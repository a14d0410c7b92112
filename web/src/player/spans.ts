/** Spans of time, each from its start to its end, in their order. */
export type Span = readonly [number, number]

/** A segment's sound begins and ends that much before or after its pictures: who loses a time may lose it of the next one. */
const BESIDE_MS = 100
/** Shorter gaps are played over. */
const CRUMB_MS = 10

/** What a media element or a source buffer has, in milliseconds. */
export function spansOf(ranges: TimeRanges): Span[] {
  return Array.from({ length: ranges.length }, (_, at) => [ranges.start(at) * 1000, ranges.end(at) * 1000] as const)
}

/** The parts of some spans that lie in none of the others. */
export function without(spans: readonly Span[], others: readonly Span[]): Span[] {
  let left = [...spans]
  for (const [from, till] of others) {
    left = left.flatMap(([start, end]): Span[] => [[start, Math.min(end, from)], [Math.max(start, till), end]])
    left = left.filter(([start, end]) => end > start)
  }
  return left
}

/** The segments, by their number, that may lack something where these times are gone. */
export function touched(durationsMs: readonly number[], lost: readonly Span[]): number[] {
  let till = 0
  return durationsMs.flatMap((ms, at) => {
    const from = till
    till += ms
    return lost.some(([start, end]) => end - start > CRUMB_MS && start < till + BESIDE_MS && end > from - BESIDE_MS) ? [at] : []
  })
}
