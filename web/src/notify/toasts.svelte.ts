/** Short messages that come and go. */
import type { Author } from '../app/api/shapes.ts'
import type { Told } from '../app/i18n/index.svelte.ts'

export interface Toast {
  id: number
  text: string
  by?: Author
  href?: string
  kind: 'news' | 'done' | 'problem'
}

const LIFETIME_MS = { news: 6000, problem: 7000, done: 2600 }
const AT_MOST = 3

class Toasts {
  list = $state<Toast[]>([])
  private last = 0

  show(toast: Omit<Toast, 'id'>): void {
    const id = ++this.last
    this.list = [...this.list.slice(1 - AT_MOST), { ...toast, id }]
    setTimeout(() => this.drop(id), LIFETIME_MS[toast.kind])
  }

  done(text: string): void {
    this.show({ text, kind: 'done' })
  }

  problem(told: Told): void {
    this.show({ text: `${told.sentence} ${told.next_step}`.trim(), kind: 'problem' })
  }

  /** Whoever comes to where one leads needs it no more: it would lie over what they want to do there. */
  arrived(path: string): void {
    this.list = this.list.filter((toast) => toast.href !== path)
  }

  drop(id: number): void {
    this.list = this.list.filter((toast) => toast.id !== id)
  }
}

export const toasts = new Toasts()
