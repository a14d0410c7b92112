/**
 * The copy of one's history that the recovery code opens: what was said, never what opens messages to come. It is made anew after
 * news, and the cell keeps the last one.
 */
import { demand, fromUtf8, toUtf8 } from '../../verify/bytes.ts'
import { copyOf, keyOfCode, newCode, readCode, writeCode } from '../mls/recovery.ts'
import { openBytes, sealBytes } from '../mls/sealed.ts'
import type { Core } from './core.ts'
import { blank } from './list.ts'
import { type Change, type Conversation, type Message, messageKey, ONLY } from './store.ts'

/** What fits below the cell's 16 MiB, with padding. */
const MAX_BYTES = 14 * 1024 * 1024
const EVERY_MS = 60_000

export class WrongCode extends Error {}

interface Copy {
  v: 1
  conversations: Pick<Conversation, 'id' | 'told' | 'name' | 'lastAt' | 'preview'>[]
  messages: Omit<Message, 'proof' | 'token' | 'problem'>[]
}

/** Begins to keep a copy. The code is shown once and kept nowhere: only the key made of it, which cannot be read out. */
export async function startCopy(core: Core): Promise<string> {
  const { personId } = await core.self()
  const code = newCode()
  const key = await keyOfCode(code, personId)
  await core.store.write([['copyKey', ONLY, { key, madeAt: core.time, savedAt: 0 }]])
  await saveCopy(core)
  return writeCode(code)
}

export async function stopCopy(core: Core): Promise<void> {
  await core.cell.deleteCopy()
  await core.store.write([['copyKey', ONLY, undefined]])
}

/** Sends a new copy where there is news since the last one. */
export async function saveCopyIfDue(core: Core): Promise<void> {
  const kept = await core.store.get('copyKey', ONLY)
  if (!kept || core.time - kept.savedAt < EVERY_MS) return
  const newest = Math.max(0, ...(await core.store.all('conversations')).map((each) => each.lastAt))
  if (newest > kept.savedAt) await saveCopy(core)
}

async function saveCopy(core: Core): Promise<void> {
  const kept = await core.store.get('copyKey', ONLY)
  if (!kept) return
  const { personId } = await core.self()
  const at = core.time
  await core.cell.putCopy(await sealBytes(kept.key, await written(core), copyOf(personId)))
  await core.store.write([['copyKey', ONLY, { ...kept, savedAt: at }]])
}

async function written(core: Core): Promise<Uint8Array> {
  const conversations = (await core.store.all('conversations')).map(({ id, told, name, lastAt, preview }) => ({ id, told, name, lastAt, preview }))
  const messages = (await core.store.all('messages')).filter((each) => each.state !== 'failed' && each.state !== 'sending').sort((one, other) => other.order - one.order)
  const copy: Copy = { v: 1, conversations, messages: [] }
  let size = JSON.stringify(copy).length
  // The newest first: where not all of it fits, the oldest is left out.
  for (const { proof: _proof, token: _token, problem: _problem, ...message } of messages) {
    size += toUtf8(JSON.stringify(message)).length + 1
    if (size > MAX_BYTES) break
    copy.messages.push(message)
  }
  return toUtf8(JSON.stringify(copy))
}

/** Brings the history back on a new device, which keeps the copy from then on. Null where the cell has none. */
export async function restoreCopy(core: Core, typed: string): Promise<number | null> {
  const code = readCode(typed)
  if (!code) throw new WrongCode()
  const { personId } = await core.self()
  const bytes = await core.cell.copy()
  if (!bytes) return null
  const key = await keyOfCode(code, personId)
  let copy: Copy
  try {
    copy = JSON.parse(fromUtf8(await openBytes(key, bytes, copyOf(personId)))) as Copy
    demand(copy.v === 1 && Array.isArray(copy.messages) && Array.isArray(copy.conversations))
  } catch {
    throw new WrongCode()
  }
  await core.lock(async () => {
    const changes: Change[] = [['copyKey', ONLY, { key, madeAt: core.time, savedAt: core.time }]]
    const here = new Map((await core.store.all('conversations')).map((each) => [each.id, each]))
    for (const each of copy.conversations) {
      const known = here.get(each.id)
      const kept = known ?? { ...blank(each.told), isOver: true }
      const isNewer = (known?.preview?.kind ?? 'notice') === 'notice'
      changes.push(['conversations', each.id, { ...kept, name: kept.name || each.name, ...(isNewer ? { lastAt: each.lastAt, preview: each.preview } : {}) }])
    }
    const ids = new Set(copy.conversations.map((each) => each.id))
    for (const message of copy.messages.filter((each) => ids.has(each.conversationId))) {
      const place = messageKey(message.conversationId, message.id)
      if (!(await core.store.get('messages', place))) changes.push(['messages', place, message])
    }
    await core.store.write(changes)
  })
  core.changed(null)
  return copy.messages.length
}
