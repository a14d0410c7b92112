/** The rule of handles, as the cell has it; the cell has the last word (reserved and look-alike names). */
export type HandleFault = 'short' | 'long' | 'letters' | 'dots' | 'no-letter'

export const HANDLE_MIN = 3
export const HANDLE_MAX = 24

/** What a person typed, as a handle: no `@`, lower case, no space. */
export function tidyHandle(typed: string): string {
  return typed.trim().replace(/^@+/, '').toLowerCase()
}

/** The first thing wrong with a handle, or null. */
export function handleFault(handle: string): HandleFault | null {
  if (/[^a-z0-9_.]/.test(handle)) return 'letters'
  if (handle.length < HANDLE_MIN) return 'short'
  if (handle.length > HANDLE_MAX) return 'long'
  if (handle.startsWith('.') || handle.endsWith('.') || handle.includes('..')) return 'dots'
  if (!/[a-z]/.test(handle)) return 'no-letter'
  return null
}
