import type { Audience } from '../app/api/shapes.ts'
import { t } from '../app/i18n/index.svelte.ts'

/** Who may see a clip, in the person's words. */
export function audiences(): { value: Audience; label: string; hint: string }[] {
  return (['everyone', 'friends', 'only-me'] as const).map((value) => ({
    value,
    label: t(`audience.${value}`),
    hint: t(`audience.${value}.hint`),
  }))
}
