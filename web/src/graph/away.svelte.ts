/** Keeping people away: the sheet that is open about somebody, and what follows on this page. */
import { api, personPath } from '../app/api/client.ts'
import type { Author, Clip } from '../app/api/shapes.ts'
import { t } from '../app/i18n/index.svelte.ts'
import { streams } from '../feed/streams.svelte.ts'
import { live } from '../notify/live.svelte.ts'
import type { Reported } from '../safety/reporting.svelte.ts'
import { toasts } from '../notify/toasts.svelte.ts'
import { follows } from './follows.svelte.ts'

export type Distance = 'block' | 'mute' | 'restriction'
export const DISTANCES: readonly Distance[] = ['block', 'mute', 'restriction']

interface Asked {
  person: Author
  /** What is reported, where it is not the person. */
  report?: Reported
  /** These clips leave the reel on screen. */
  onleave?: (goes: (clip: Clip) => boolean) => void
  /** The cell has something else to say of the person now. */
  onchange?: (distance: Distance, kept: boolean) => void
}

class Away {
  asked = $state.raw<Asked | null>(null)

  open(asked: Asked): void {
    this.asked = asked
  }

  close(): void {
    this.asked = null
  }

  /** The sheet did not arrive. */
  lost(): void {
    this.close()
    toasts.problem({ sentence: t('app.page-lost'), next_step: t('app.page-lost.hint') })
  }

  /** Keeps a person away, or lets them near again, here and in the cell. */
  async set(handle: string, distance: Distance, kept: boolean): Promise<void> {
    const path = personPath(handle, `/away/${distance}`)
    await (kept ? api.put(path) : api.delete(path))
    const asked = this.asked
    if (kept && distance !== 'restriction') {
      const goes = (clip: Clip) => clip.author.handle === handle
      asked?.onleave?.(goes)
      streams.leaveOut(handle, distance === 'block')
    }
    if (distance === 'block') {
      follows.learn(handle, 'no')
      streams.forgetPerson(handle)
    }
    void live.askUnread()
    asked?.onchange?.(distance, kept)
  }
}

export const away = new Away()
