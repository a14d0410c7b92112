/** What the person wants to be told, and when; and the clock that the cell goes by for it. */
import { api } from '../app/api/client.ts'
import type { ChosenKind, Me, NoticeWishes } from '../app/api/shapes.ts'
import { recall, remember } from '../app/memory.ts'

const CLOCK = 'clock'

/** How far this device's clock is ahead of UTC, in minutes. */
export const offset = (): number => -new Date().getTimezoneOffset()

class Wishes {
  now = $state<NoticeWishes | null>(null)
  /** What the cell has told last. */
  private told: NoticeWishes | null = null
  private asked: Promise<void> | null = null
  private before: Promise<unknown> = Promise.resolve()
  private waiting = 0

  load(): Promise<void> {
    this.asked ??= api.get<NoticeWishes>('/api/notifications/settings').then((told) => void (this.now = this.told = told))
    this.asked.catch(() => (this.asked = null))
    return this.asked
  }

  forget(): void {
    this.now = this.told = null
    this.asked = null
  }

  isOff(kind: ChosenKind): boolean {
    return this.now?.kinds[kind] === false
  }

  turn(kind: ChosenKind, on: boolean): Promise<void> {
    return this.keep(
      (now) => ({ ...now, kinds: { ...now.kinds, [kind]: on } }),
      () => api.put<NoticeWishes>(`/api/notifications/kinds/${kind}`, { is_on: on }),
    )
  }

  /** Wishes by the hour go by this device's clock. */
  async change(changed: Partial<Pick<NoticeWishes, 'digest_at' | 'quiet_nights'>>): Promise<void> {
    const nights = changed.quiet_nights === undefined ? {} : { nights_are_quiet: changed.quiet_nights }
    await this.keep(
      (now) => ({ ...now, ...changed, ...nights }),
      () => api.patch<NoticeWishes>('/api/notifications/settings', { ...changed, offset_minutes: offset() }),
    )
    remember(CLOCK, String(offset()))
  }

  /** One tap: seen at once. Taps reach the cell in their order; after the last of them stands what the cell has told. */
  private async keep(chosen: (now: NoticeWishes) => NoticeWishes, ask: () => Promise<NoticeWishes>): Promise<void> {
    if (this.now) this.now = chosen(this.now)
    this.waiting += 1
    const asked = this.before.then(ask)
    this.before = asked.catch(() => undefined)
    try {
      this.told = await asked
    } finally {
      this.waiting -= 1
      if (this.waiting === 0) this.now = this.told
    }
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
