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
export interface Asked {
  state: 'waiting' | 'approved' | 'refused'
  reason: string
}

/** The code behind the # of an invitation's link: servers and their logs never see it. */
export function codeInAddress(hash: string): string {
  const code = hash.replace(/^#/, '').trim()
  return /^[A-Za-z0-9 -]{16,64}$/.test(code) ? code : ''
}

export function keptTicket(): string {
  return recall('ticket') ?? ''
}

export function keepTicket(ticket: string | null): void {
  remember('ticket', ticket)
}
