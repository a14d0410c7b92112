/** What the cell tells about kept clips and sounds. */
import type { Author } from '../app/api/shapes.ts'

export interface Collection {
  id: string
  name: string
  is_public: boolean
  by: Author
  is_mine: boolean
  /** Whether the clip that was asked about is in it. */
  has: boolean
  covers: string[]
}

/** A sound as its page shows it. */
export interface SoundPage {
  id: string
  /** Empty: the original sound of its owner. */
  name: string
  by: Author
  clip_id: string
  uses: number
  is_reusable: boolean
  may_use: boolean
  is_mine: boolean
  audio_url: string | null
  poster_url: string | null
  duration_ms: number | null
}
