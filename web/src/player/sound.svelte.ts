/** Sound on or off: one choice for all clips, remembered on this device. */
import { recall, remember } from '../app/memory.ts'

class Sound {
  /** What the person wants. */
  wanted = $state(recall('sound') !== 'off')
  /** The browser refuses sound until the person touches the page. */
  blocked = $state(false)

  get audible(): boolean {
    return this.wanted && !this.blocked
  }

  toggle(): void {
    this.wanted = !this.audible
    this.blocked = false
    remember('sound', this.wanted ? 'on' : 'off')
  }
}

export const sound = new Sound()

class CaptionsChoice {
  shown = $state(recall('captions') !== 'off')

  toggle(): void {
    this.shown = !this.shown
    remember('captions', this.shown ? 'on' : 'off')
  }
}

export const captions = new CaptionsChoice()
