/** What waits for the signatures of two of the staff. */

export interface WaitingNotice {
  notice: string
  asked: string
  challenge: string
  signatures: number
}

export interface Read {
  id: string
  asked: string
  challenge: string
  signatures: number
  is_granted: boolean
  ends_at: string
}

/** The text that is signed, as far as it is shown in words. */
export interface Withhold {
  what: 'clip' | 'person' | 'cell'
  subject: string
  countries: string[]
  by: string
  law: string
  reason: string
  appeal: string
  until: string
}

export interface Reading {
  staff: string
  subject: string
  purpose: string
  columns: string[]
  minutes: number
  reason: string
}
