/** What the person wants to be told, and when; and the clock that the cell goes by for it. */
import { api } from '../app/api/client.ts'
import type { ChosenKind, Me, NoticeWishes } from '../app/api/shapes.ts'
import { recall, remember } from '../app/memory.ts'

const CLOCK = 'clock'

/** How far this device's clock is ahead of UTC, in minutes. */
export const offset = (): number => -new Date().getTimezoneOffset()

class Wishes {
  now = $state<NoticeWishes | null>(null)
  private asked: Promise<void> | null = null

  load(): Promise<void> {
    this.asked ??= api.get<NoticeWishes>('/api/notifications/settings').then((told) => void (this.now = told))
    this.asked.catch(() => (this.asked = null))
    return this.asked
  }

  forget(): void {
    this.now = null
    this.asked = null
  }

  isOff(kind: ChosenKind): boolean {
    return this.now?.kinds[kind] === false
  }

  /** One tap: seen at once, and taken back where the cell does not take it. */
  async turn(kind: ChosenKind, on: boolean): Promise<void> {
    const before = this.now
    if (this.now) this.now = { ...this.now, kinds: { ...this.now.kinds, [kind]: on } }
    try {
      this.now = await api.put<NoticeWishes>(`/api/notifications/kinds/${kind}`, { is_on: on })
    } catch (problem) {
      this.now = before
      throw problem
    }
  }

  /** Wishes by the hour go by this device's clock. */
  async change(changed: Partial<Pick<NoticeWishes, 'digest_at' | 'quiet_nights'>>): Promise<void> {
    this.now = await api.patch<NoticeWishes>('/api/notifications/settings', { ...changed, offset_minutes: offset() })
    remember(CLOCK, String(offset()))
  }

  /** Tells the cell when the clock has moved, for those about whom it has to know: minors, and who has chosen something by
      the hour on this device. */
  keepClock(me: Me): void {
    const known = recall(CLOCK)
    if (me.age_band === '18+' && known === null) return
    if (known === String(offset())) return
    void api.patch('/api/notifications/settings', { offset_minutes: offset() }).then(
      () => remember(CLOCK, String(offset())),
      () => undefined,
    )
  }
}

export const wishes = new Wishes()
