/** What can be refused before a byte is sent. */

export interface Limits {
  max_upload_bytes: number
  max_duration_ms: number
}

export const LIMITS: Limits = { max_upload_bytes: 300 * 1024 * 1024, max_duration_ms: 180_000 }

/** A player may report a hair more than the file holds. */
const SLACK_MS = 250

export type FileFault = 'file-empty' | 'file-too-large' | 'not-a-video'

/** The first thing wrong with a chosen file, or null. Unknown types pass: the cell looks inside. */
export function fileFault(file: { size: number; type: string }, limits: Limits): FileFault | null {
  if (file.size === 0) return 'file-empty'
  if (/^(image|text|font)\//.test(file.type) || file.type === 'application/pdf') return 'not-a-video'
  if (file.size > limits.max_upload_bytes) return 'file-too-large'
  return null
}

/** Is what is kept longer than a clip may be? */
export function isTooLong(keptMs: number, limits: Limits): boolean {
  return keptMs > limits.max_duration_ms + SLACK_MS
}
