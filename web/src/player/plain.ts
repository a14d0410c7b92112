/** What plays without segments: a file from its beginning, or a playlist that the browser reads itself. */
import type { Clip, Rendition } from '../app/api/shapes.ts'

/** Files that play from their beginning everywhere; if there is none, those in segments, which most players take too. */
export function plain(renditions: readonly Rendition[]): readonly Rendition[] {
  const whole = renditions.filter((one) => one.segments?.url !== one.url)
  return whole.length > 0 ? whole : renditions
}

/** Players without MediaSource that read playlists themselves choose the quality themselves. */
export function playlistFor(clip: Clip): string | null {
  if ('MediaSource' in globalThis || 'ManagedMediaSource' in globalThis) return null
  const able = document.createElement('video').canPlayType('application/vnd.apple.mpegurl')
  return able ? clip.playlist_url : null
}
