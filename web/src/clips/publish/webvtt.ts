const MOST_BYTES = 262_144

/** Is this a WebVTT text (W3C WebVTT, section 4.1: the signature, then a blank or the line's end) with a cue in it? */
export function isWebVtt(text: string): boolean {
  if (new TextEncoder().encode(text).length > MOST_BYTES) return false
  return /^\uFEFF?WEBVTT(?=[ \t\r\n]|$)/.test(text) && text.includes('-->')
}
