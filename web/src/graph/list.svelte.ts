/** A list that grows page by page: people, requests, notifications. */
import { api } from '../app/api/client.ts'
import type { Page } from '../app/api/shapes.ts'

export class Listing<Item> {
  items = $state<Item[]>([])
  ended = $state(false)
  loading = $state(false)
  problem = $state<unknown>(null)
  private cursor: string | null = null
  private readonly path: string

  constructor(path: string) {
    this.path = path
  }

  async more(): Promise<void> {
    if (this.loading || this.ended) return
    this.loading = true
    this.problem = null
    try {
      const page = await api.get<Page<Item>>(this.path, { cursor: this.cursor, limit: 30 })
      this.items = [...this.items, ...page.items]
      this.cursor = page.next
      this.ended = page.next === null
    } catch (problem) {
      this.problem = problem
    } finally {
      this.loading = false
    }
  }
}
