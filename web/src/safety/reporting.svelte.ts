/** The sheet in which something is reported, from wherever it is shown. */
import { t } from '../app/i18n/index.svelte.ts'
import { toasts } from '../notify/toasts.svelte.ts'

export interface Reported {
  what: 'clip' | 'comment' | 'person'
  /** The id of the clip or comment, or the handle of the person. */
  name: string
  /** What follows here once the cell has it. */
  onsent?: () => void
}

class Reporting {
  asked = $state.raw<Reported | null>(null)

  open(asked: Reported): void {
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
}

export const reporting = new Reporting()
