/** The keys of the log by which devices are checked: those that the person was given elsewhere, else the cell's own. */
import { api } from '../app/api/client.ts'
import { recall } from '../app/memory.ts'

let asked: Promise<string> | null = null

export async function policyText(personId: string): Promise<string | null> {
  const own = recall(`policy.${personId}`)
  if (own !== null) return own
  asked ??= api.text('/ledger/policy')
  return asked.catch(() => {
    asked = null
    return null
  })
}
