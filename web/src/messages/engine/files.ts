/** Photos and voice: sealed here with a key of their own, which travels inside the message. */
import { toBase64, toUtf8 } from '../../verify/bytes.ts'
import { importKey, newKey, openBytes, sealBytes } from '../mls/sealed.ts'
import type { Attachment } from '../payload.ts'
import { bytesOf } from './cell.ts'
import type { Core } from './core.ts'

const about = (type: string) => toUtf8(`luciole/file/v1 ${type}`)

/** Uploads a file; what comes back goes into the message. */
export async function attach(core: Core, conversationId: string, bytes: Uint8Array, type: string): Promise<Attachment> {
  const raw = newKey()
  const sealed = await sealBytes(await importKey(raw), bytes, about(type))
  const id = await core.cell.attach(conversationId, sealed)
  await core.store.write([['files', id, { bytes, type }]])
  return { id, key: toBase64(raw), type, size: bytes.length }
}

/** The file, from this device or from the cell; null where the cell has let it go after its thirty days. */
export async function fetchFile(core: Core, file: Attachment): Promise<Blob | null> {
  const kept = await core.store.get('files', file.id)
  if (kept) return new Blob([Uint8Array.from(kept.bytes)], { type: kept.type })
  const sealed = await core.cell.attachment(file.id)
  if (!sealed) return null
  const bytes = await openBytes(await importKey(bytesOf(file.key)), sealed, about(file.type))
  await core.store.write([['files', file.id, { bytes, type: file.type }]])
  return new Blob([bytes], { type: file.type })
}
