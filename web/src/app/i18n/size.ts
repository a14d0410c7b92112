/** How many megabytes, of a million bytes each: what "MB" says, here and on the box of a phone.
 *  A limit is rounded down and what is beyond it up, so that whoever believes the number is right. */
export function megabytesIn(locale: string, bytes: number, to: 'nearest' | 'down' | 'up' = 'nearest'): string {
  const unit = bytes < 10_000_000 ? 100_000 : 1_000_000
  const round = { nearest: Math.round, down: Math.floor, up: Math.ceil }[to]
  const value = (round(bytes / unit) * unit) / 1_000_000
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }).format(value)
}
