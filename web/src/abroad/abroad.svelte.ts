/** Where things of this cell may go, and what the person has said about that. Asked once for each person. */
import { api } from '../app/api/client.ts'
import { t } from '../app/i18n/index.svelte.ts'
import { session } from '../people/session.svelte.ts'
import type { Abroad, Act, Reach } from './shapes.ts'

class Outside {
  told = $state.raw<Abroad | null>(null)
  private whose: string | null = null

  async load(anew = false): Promise<void> {
    const me = session.me?.id ?? null
    if (!me || (this.whose === me && this.told && !anew)) return
    this.whose = me
    this.told = await api.get<Abroad>('/api/me/abroad')
  }

  /** How far a thing can go at all from this cell. */
  get reaches(): Reach[] {
    if (!this.told) return ['region']
    return ['region', ...(this.told.peers.length > 0 ? (['cells'] as const) : []), ...(this.told.has_fediverse ? (['fediverse'] as const) : [])]
  }

  /** The cells to which something of this kind may go now. */
  covers(act: Act): string[] {
    return this.told?.consents.find((one) => one.act === act)?.covers ?? []
  }

  /** Whether there is a cell or a country that the person has not been asked about, or nothing was asked at all. */
  mustAsk(act: Act): boolean {
    if (this.told?.consents.some((one) => one.act === act && one.asks_again)) return true
    if (act === 'fediverse') return !this.told?.consents.some((one) => one.act === act && !one.is_suspended)
    const covered = this.covers(act)
    return this.told?.peers.some((one) => !covered.includes(one.name)) ?? true
  }

  name(peer: string): string {
    if (peer === 'fediverse') return t('reach.fediverse')
    return this.told?.peers.find((one) => one.name === peer)?.display_name ?? peer
  }
}

export const outside = new Outside()
