/** What everybody may see of a cell at a glance. */

export interface Crossing {
  index: number
  kind: string
  at: string
  peer?: string
  wire?: string
  reason?: string
  law?: string
  size_bytes?: number
  verdict?: string
  id?: string
  sha256?: string
  exchanges?: number
}

export interface Peer {
  name: string
  cell_id: string
  origin: string
  display_name: string
  operator: string
  jurisdiction: string
  verdict: 'GREEN' | 'RED' | 'CANNOT TELL'
  verdict_code: string
  verdict_at: string
  mirror: Mirror | null
}

/** What this cell keeps of the logs of another; `at` in seconds since 1970. */
export interface Mirror {
  state: 'kept' | 'limit' | 'disk'
  bytes: number
  logs: { log: Log['log']; size: number; at: number }[]
}

export interface Log {
  log: 'decisions' | 'access' | 'border'
  size: number
  root: string
  witnesses: { name: string; is_own: boolean; seen_at: string }[]
}

export interface Statement {
  day: string
  staff_reads: number
  legal_reads: number
  erasures: number
  witnesses: number
  crossings: { total: number }
  exceptions: string[]
}

export interface Glass {
  cell: { name: string; short_name: string; operator: string; jurisdiction: string; origin: string; cell_id: string; version: string }
  peers: Peer[]
  logs: Log[]
  crossings: Crossing[]
  notices: { in_force: number; ended: number; orders: number; gagged: number }
  statement: Statement | null
  guards: { cell: string; at: string; held: number; given: number; refused: number }[]
  commands: string[]
}
