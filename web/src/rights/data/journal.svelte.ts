/** The journal as it is read: the newest entries first, some at a time. */
import { api } from '../../app/api/client.ts'
import type { JournalEntry } from '../../app/api/shapes.ts'

const AT_ONCE = 30

export class Journal {
  entries = $state.raw<JournalEntry[]>([])
  loading = $state(false)
  ended = $state(false)
  problem = $state<unknown>(null)
  private next: number | null = null

  more = async (): Promise<void> => {
    if (this.loading || this.ended) return
    this.loading = true
    this.problem = null
    try {
      const page = await api.get<{ items: JournalEntry[]; next: number | null }>('/api/me/journal', { before: this.next, limit: AT_ONCE })
      this.entries = [...this.entries, ...page.items]
      this.next = page.next
      this.ended = page.next === null
    } catch (problem) {
      this.problem = problem
    } finally {
      this.loading = false
    }
  }
}
