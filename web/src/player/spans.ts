/** Spans of time, each from its start to its end, in their order. */
export type Span = readonly [number, number]

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
