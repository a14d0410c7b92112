/**
 * Common Media Client Data (CTA-5004) for the cell's own delivery: what is asked for, so that a cache
 * of the operator can tell what is waited for from what is fetched ahead. It says nothing of the
 * person: no session, no content id, no buffer, no throughput, no stall. To other places nothing is said.
 */
import type { Cut } from './loader.ts'
import type { Fetch } from './prefetch.ts'

export function headersFor(url: string, cut: Cut, what: Fetch): Record<string, string> {
  if (!isOwn(url)) return {}
  const { durations_ms } = cut.segments
  const kind = cut.segments.codecs.includes(',') ? 'av' : 'v'
  return {
    'CMCD-Object': `br=${Math.round(cut.bitrate_bps / 1000)},d=${durations_ms[what.segment]},ot=${kind}`,
    'CMCD-Session': 'sf=o,st=v',
    ...(what.urgent && { 'CMCD-Request': 'su' }),
  }
}

/** A path of this cell. What begins with two slashes, either way, is a place elsewhere. */
export function isOwn(url: string): boolean {
  return /^\/(?![/\\])/.test(url)
}
