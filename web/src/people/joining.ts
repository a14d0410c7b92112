/** How the cell takes people, and the ticket of somebody who waits for an account. */
import type { AgeBand } from '../app/api/shapes.ts'
import { recall, remember } from '../app/memory.ts'

export interface Joining {
  registration: 'open' | 'invitation' | 'approval' | 'closed'
  needs_work: boolean
  minimum_age_band: AgeBand
  terms_version: string | null
  has_imprint: boolean
}
/** The table of least ages, as `/api/cell/ages` gives it. */
export interface LeastAges {
  version: number
  sha256: string
  text: string
  country: string
  age: number | null
  entry: { log: string; index: number; at: string } | null
}
export interface Asked {
  state: 'waiting' | 'approved' | 'refused'
  reason: string
}

/** The code behind the # of an invitation's link: servers and their logs never see it. */
export function codeInAddress(hash: string): string {
  const code = hash.replace(/^#/, '').trim()
  return /^[A-Za-z0-9 -]{16,64}$/.test(code) ? code : ''
}

/** The law that the table names for the country of this cell; empty where it has no line. */
export function sourceOf(told: LeastAges): string {
  const start = `${told.country} ${told.age} `
  const line = told.text.split('\n').find((one) => one.startsWith(start))
  return line?.slice(start.length) ?? ''
}

export function keptTicket(): string {
  return recall('ticket') ?? ''
}

export function keepTicket(ticket: string | null): void {
  remember('ticket', ticket)
}
