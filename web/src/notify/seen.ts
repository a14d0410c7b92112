/** Remembers the last `size` ids, so that an event that comes twice counts once. */
export class Seen {
  private readonly ids = new Set<string>()
  private readonly size: number

  constructor(size = 500) {
    this.size = size
  }

  /** True the first time an id is met. */
  first(id: string): boolean {
    if (this.ids.has(id)) return false
    this.ids.add(id)
    if (this.ids.size > this.size) {
      const [oldest] = this.ids
      if (oldest !== undefined) this.ids.delete(oldest)
    }
    return true
  }
}
