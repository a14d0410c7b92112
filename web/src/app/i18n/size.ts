/** How many megabytes, of a million bytes each: what "MB" says, here and on the box of a phone. */
export function megabytesIn(locale: string, bytes: number): string {
  const value = bytes / 1_000_000
  return new Intl.NumberFormat(locale, { maximumFractionDigits: value < 10 ? 1 : 0 }).format(value)
}
