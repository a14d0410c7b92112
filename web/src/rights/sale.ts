/** What is to be said of a sale of this cell. Pure, so that it can be tested without a browser. */

export interface Sale {
  state: 'none' | 'announced' | 'adopted'
  operator: string | null
  jurisdiction: string | null
  not_before: string | null
  since: string | null
}

export const HOUR_MS = 3_600_000
/** So long is said that the cell has another operator. */
export const SAID_DAYS = 30

/** What is to be said now, and the day that goes with it; nothing where nothing is. */
export function toSay(sale: Sale | null, now: number): { key: 'sale.announced' | 'sale.adopted'; day: string } | null {
  if (sale?.state === 'announced' && sale.not_before) return { key: 'sale.announced', day: sale.not_before }
  if (sale?.state !== 'adopted' || !sale.since) return null
  return now - Date.parse(sale.since) < SAID_DAYS * 24 * HOUR_MS ? { key: 'sale.adopted', day: sale.since } : null
}
