import type { Clip } from '../app/api/shapes.ts'
import { t } from '../app/i18n/index.svelte.ts'
import { toasts } from '../notify/toasts.svelte.ts'

/** The plain address of a clip: no tracking id, nothing about who shares. */
export function clipAddress(id: string): string {
  return `${location.origin}/c/${id}`
}

/** The device's own share sheet where there is one for touch; else the link is copied. True when it went that far. */
export async function share(clip: Clip): Promise<boolean> {
  const url = clipAddress(clip.id)
  if (navigator.share && matchMedia('(pointer: coarse)').matches) {
    try {
      await navigator.share({ url, title: t('player.by', { name: clip.author.display_name }) })
      return true
    } catch (problem) {
      if ((problem as DOMException).name === 'AbortError') return false
    }
  }
  try {
    await navigator.clipboard.writeText(url)
    toasts.done(t('player.copied'))
  } catch {
    // Without a clipboard (plain http on another host) the person can still copy it from here.
    toasts.show({ kind: 'news', text: url, href: `/c/${clip.id}` })
  }
  return true
}
