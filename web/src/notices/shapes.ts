/** Shapes of notices and of orders, as the cell tells everybody. */

export interface Notice {
  notice: string
  what: 'clip' | 'person' | 'cell'
  countries: string[]
  ground: 'court' | 'authority' | 'rules'
  by: string
  law: string
  /** Empty: without an end. */
  until: string
  order: string
  commit: string
  at: string
  state: 'in-force' | 'ended'
  reason: string
  appeal: string
  /** `clip/ID`, `person/HANDLE`, `cell/NAME`; empty where it is not named. */
  subject: string
  nonce: string
  staff: string[]
  ended: string
  ended_why: string
  url: string
}

export interface Order {
  order: string
  at: string
  told: boolean
  gag_until?: string
  received?: string
  by?: string
  country?: string
  law?: string
  asks_for?: 'data' | 'withhold' | 'other'
  persons?: number
  outcome?: 'pending' | 'complied' | 'partly' | 'refused' | 'withdrawn'
}

export interface Orders {
  items: Order[]
  next: string | null
  counts: { orders: number; gagged: number; persons: number }
}
