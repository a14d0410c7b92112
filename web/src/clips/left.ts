/** About how long a clip still takes, so that it does not promise too much. */

const SOON_S = 10
const STEP_S = 5

/** How a time is told: nearly over, in seconds by fives, or in whole minutes. */
export function rounded(leftS: number): { unit: 'soon' | 'seconds' | 'minutes'; count: number } {
  if (leftS < SOON_S) return { unit: 'soon', count: 0 }
  const seconds = Math.ceil(leftS / STEP_S) * STEP_S
  return seconds < 60 ? { unit: 'seconds', count: seconds } : { unit: 'minutes', count: Math.ceil(leftS / 60) }
}
