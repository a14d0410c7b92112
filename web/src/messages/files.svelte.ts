/** Opened files as addresses that a page can show, each made once while it is open. */
import type { Attachment } from './payload.ts'
import { fetchFile } from './engine/files.ts'
import { messages } from './messages.svelte.ts'

export class OpenedFile {
  url = $state<string | null>(null)
  isGone = $state(false)
}

const KEPT = 60
const files = new Map<string, OpenedFile>()

export function opened(file: Attachment): OpenedFile {
  const known = files.get(file.id)
  if (known && !known.isGone) return known
  const made = new OpenedFile()
  files.set(file.id, made)
  const [oldest] = files
  if (files.size > KEPT && oldest) {
    if (oldest[1].url) URL.revokeObjectURL(oldest[1].url)
    files.delete(oldest[0])
  }
  const { core } = messages
  if (core) {
    void fetchFile(core, file).then(
      (blob) => {
        if (blob) made.url = URL.createObjectURL(blob)
        else made.isGone = true
      },
      () => (made.isGone = true),
    )
  }
  return made
}
