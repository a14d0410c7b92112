/**
 * How long one has watched on this device, and when it is enough. Nothing of it is sent, but where a family is paired: then
 * `people/family/device` sends minutes a day, for which they are kept by day here.
 */
import { recall, remember } from '../app/memory.ts'
import { added, readDays } from '../people/family/days.ts'
import { session } from '../people/session.svelte.ts'
import { dayOf, halt, isByHand, readHeld, readSpent, readWishes, sleepsUntil, stop, told, today, watched, type Halt, type Held, type Wishes } from './rules.ts'

const TICK_MS = 3000
/** A tick that comes later than this was asleep meanwhile. */
const MOST_TICK_MS = 2 * TICK_MS

class Time {
  wishes = $state.raw(readWishes(recall('time-wishes')))
  /** Why the person is asked to stop; clips are held while it is shown. */
  private asked = $state<Halt | null>(null)
  /** What a family has set, and for whom; it stays on the device when they sign out. */
  private kept = $state.raw(readHeld(recall('family-held')))
  private spent = $state.raw(readSpent(recall('time-spent')))
  private now = $state(Date.now())
  private readonly playing = new Set<string>()
  private timer: ReturnType<typeof setInterval> | undefined
  private last = 0

  get isMinor(): boolean {
    return session.me !== null && session.me.age_band !== '18+'
  }

  /** What a family has set for who is here; nobody here is who was here last. */
  readonly held = $derived.by((): Held | null => {
    const me = session.me
    return this.kept && session.known && (me === null || me.id === this.kept.person) ? this.kept.held : null
  })
  /** What the family's limits stop: no tap goes on past it. */
  readonly stopped = $derived(stop(this.held, this.spent, this.now))
  /** Why clips are held. */
  readonly halted = $derived(this.stopped ?? this.asked)
  readonly sleepsUntil = $derived(sleepsUntil(this.held, this.now))

  /** No clip starts by itself now. */
  readonly byHand = $derived(this.stopped !== null || isByHand(this.wishes, this.spent, this.now, this.isMinor))
  readonly minutesToday = $derived(Math.floor(today(this.spent, this.now).ms / 60_000))
  /** Minutes in a row, for the words of a break. */
  readonly minutesInARow = $derived(Math.floor(today(this.spent, this.now).rowMs / 60_000))

  wish(change: Partial<Wishes>): void {
    this.wishes = { ...this.wishes, ...change }
    remember('time-wishes', JSON.stringify(this.wishes))
    this.now = Date.now()
  }

  /** The clip `id` plays in view, or does not any more. */
  plays(id: string, is: boolean): void {
    if (is === this.playing.has(id)) return
    if (this.playing.size > 0) this.count()
    if (is) this.playing.add(id)
    else this.playing.delete(id)
    clearInterval(this.timer)
    if (this.playing.size === 0) return
    this.last = performance.now()
    this.timer = setInterval(() => this.count(), TICK_MS)
  }

  /** Reads the clock, and what other windows have counted. */
  refresh(): void {
    this.now = Date.now()
    this.spent = readSpent(recall('time-spent'))
  }

  /** Asks whether it is time to stop; for whoever opens the feed. */
  look(): void {
    this.refresh()
    this.asked ??= halt(this.wishes, this.spent, this.now, this.isMinor)
  }

  /** The person has read it. */
  goOn(): void {
    if (!this.asked) return
    this.keep(told(readSpent(recall('time-spent')), this.asked, this.wishes, Date.now()))
    this.asked = null
  }

  /** What a family has set for `person`, who is here; null: nothing, any more. */
  hold(person: string, held: Held | null): void {
    this.refresh()
    if (held) {
      this.kept = { person, held }
      remember('family-held', JSON.stringify(this.kept))
    } else if (this.kept?.person === person) {
      this.kept = null
      remember('family-held', null)
    }
  }

  private count(): void {
    const since = Math.min(performance.now() - this.last, MOST_TICK_MS)
    this.last = performance.now()
    this.now = Date.now()
    // Read anew: another window of this browser counts too.
    this.keep(watched(readSpent(recall('time-spent')), Math.round(since), this.now))
    if (this.held && this.kept) {
      const name = `family-days.${this.kept.person}`
      remember(name, JSON.stringify(added(readDays(recall(name)), dayOf(this.now), Math.round(since))))
    }
    this.asked ??= halt(this.wishes, this.spent, this.now, this.isMinor)
  }

  private keep(spent: typeof this.spent): void {
    this.spent = spent
    remember('time-spent', JSON.stringify(spent))
  }
}

export const time = new Time()
