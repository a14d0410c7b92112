import type { Clip } from '../app/api/shapes.ts'

/** Which words say that AI made a clip, and who says so; null where nobody does. What a file says
    that could not be checked is told as that, and never as a fact. */
export function aiLabel(clip: Pick<Clip, 'made_with_ai' | 'ai_in_file' | 'credentials'>) {
  const { made_with_ai: author, ai_in_file: file, credentials } = clip
  if (author && file) return 'clip.ai.both'
  if (author) return 'clip.ai'
  if (file) return file === 'made' ? 'clip.ai.file' : 'clip.ai.file.partly'
  if (credentials?.says_ai) return 'clip.ai.unproven'
  return null
}

/** The one sentence about the content credentials of a clip's file; null where it carried none. */
export function credentialsLine({ credentials }: Pick<Clip, 'credentials'>) {
  if (!credentials) return null
  const { state, signer } = credentials
  if (state === 'invalid' || state === 'unchecked') return `clip.credentials.${state}` as const
  return signer ? (`clip.credentials.${state}` as const) : (`clip.credentials.${state}.nameless` as const)
}
