/** The three verdicts as names of colours and words. */
import type { Verdict } from '../../verify/verdict.ts'

export const TONES = { GREEN: 'green', RED: 'red', 'CANNOT TELL': 'unsure' } as const satisfies Record<Verdict, string>
export const SIGNS = { green: 'check', red: 'close', unsure: 'more' } as const
