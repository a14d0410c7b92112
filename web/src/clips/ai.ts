import type { Clip } from '../app/api/shapes.ts'

/** Which words say that AI made a clip, and who says so; null where nobody does. */
export function aiLabel(clip: Pick<Clip, 'made_with_ai' | 'ai_in_file'>) {
  const { made_with_ai: author, ai_in_file: file } = clip
  if (author && file) return 'clip.ai.both'
  if (author) return 'clip.ai'
  if (file) return file === 'made' ? 'clip.ai.file' : 'clip.ai.file.partly'
  return null
}
