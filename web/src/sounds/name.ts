import type { Author } from '../app/api/shapes.ts'
import { t } from '../app/i18n/index.svelte.ts'

/** What a sound is called: its name, or whose original sound it is. */
export function soundName(sound: { name: string; by: Author }): string {
  return sound.name || t('sound.original', { name: sound.by.display_name })
}
