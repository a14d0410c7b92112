/** Films that are larger than the cell takes. */
import { fits, type Plan } from './shrink.ts'

/** How this browser makes the film small enough; null where it cannot. */
export async function planToFit(file: File, mostBytes: number): Promise<Plan | null> {
  if (typeof VideoEncoder === 'undefined') return null
  try {
    const { plan } = await import('./shrinking.ts')
    const found = await plan(file)
    return found && fits(found, mostBytes) ? found : null
  } catch {
    // Not a film that it can read.
    return null
  }
}
