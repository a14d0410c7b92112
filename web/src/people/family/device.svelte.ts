/** A young person's device of a family: asks what holds, and reports minutes a day. Nothing of it runs for anybody else. */
import { api, ApiError } from '../../app/api/client.ts'
import type { Me } from '../../app/api/shapes.ts'
import { recall, remember } from '../../app/memory.ts'
import { hasQuietHours } from '../../wellbeing/rules.ts'
import { time } from '../../wellbeing/time.svelte.ts'
import { readDays, reported } from './days.ts'
import type { FamilyTold } from './shapes.ts'

const ASKS_EVERY_MS = 60_000

class Device {
  private me: Me | null = null
  private timer: ReturnType<typeof setInterval> | undefined
  private sent = ''

  /** Somebody is here, or nobody. Limits stay on the device of who has only signed out. */
  here(me: Me | null): void {
    clearInterval(this.timer)
    this.me = me && me.age_band !== '18+' ? me : null
    this.sent = ''
    if (!this.me) return
    void this.ask()
    this.timer = setInterval(() => document.visibilityState === 'visible' && void this.ask(), ASKS_EVERY_MS)
  }

  /** What holds now, and, while a family is paired, what this device has counted. */
  async ask(): Promise<FamilyTold | null> {
    const me = this.me
    if (!me) return null
    try {
      const told = await api.get<FamilyTold>('/api/me/family')
      if (this.me?.id !== me.id) return null
      this.take(told)
      return told
    } catch {
      // Offline, what held before holds: it is kept on the device.
      time.refresh()
      return null
    }
  }

  take(told: FamilyTold): void {
    if (!this.me) return
    time.hold(this.me.id, told.held)
    if (told.held) void this.report(this.me)
    else remember(`family-days.${this.me.id}`, null)
  }

  private async report(me: Me): Promise<void> {
    const wishes = time.wishes
    const quiet = hasQuietHours(wishes, true)
    const body = {
      days: reported(readDays(recall(`family-days.${me.id}`))),
      offset_minutes: -new Date().getTimezoneOffset(),
      own: { limit_min: wishes.limitMin, quiet_from: quiet ? wishes.quietFrom : null, quiet_to: quiet ? wishes.quietTo : null },
    }
    const text = JSON.stringify(body)
    if (text === this.sent) return
    try {
      await api.put('/api/me/family/time', body)
      this.sent = text
    } catch (problem) {
      // It has ended meanwhile: the next answer says so. Anything else is tried again in a minute.
      if (!(problem instanceof ApiError)) throw problem
    }
  }
}

export const device = new Device()
