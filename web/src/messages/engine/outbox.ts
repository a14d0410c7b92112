/** What this device says: kept before it is sent, sent again until it is answered, taken back while it waits. */
import { sha256 } from '@noble/hashes/sha2.js'
import { ApiError } from '../../app/api/client.ts'
import { base64 as write, bytesOf } from './cell.ts'
import { toHex } from '../../verify/bytes.ts'
import { epochOf, seal } from '../mls/group.ts'
import { type Content, writePayload } from '../payload.ts'
import { Busy, settle, tidy } from './changes.ts'
import { type Core, isPassing } from './core.ts'
import { recalled, take } from './inbox.ts'
import { rejoin } from './joining.ts'
import { refresh, withMessage } from './list.ts'
import { type Change, type Message, messageKey, type Outgoing } from './store.ts'

const TRIES = 4

/** Says something. It is in the thread when this returns, and on its way; `flush` brings it there. */
export async function say(core: Core, conversationId: string, content: Content): Promise<void> {
  await core.lock(async () => {
    const self = await core.self()
    const conversation = await core.conversation(conversationId)
    if (!conversation) throw new ApiError(404, 'no-such-conversation', '', '')
    const id = crypto.randomUUID()
    const at = core.time
    const token = crypto.getRandomValues(new Uint8Array(32))
    const outgoing: Outgoing = { id, conversationId, data: writePayload({ v: 1, id, at, content }), epoch: -1, body: new Uint8Array(), token: write(token) }
    const changes: Change[] = [['outbox', id, outgoing]]
    if (content.kind === 'recall') changes.push(...(await recalled(core, conversation, content.target, self.personId)))
    else {
      const message: Message = {
        id, conversationId, order: core.nextOrder(), at, personId: self.personId, deviceId: self.deviceId, mine: true, state: 'sending', content, token: write(token),
      }
      const now = withMessage(conversation, message, false)
      changes.push(['messages', messageKey(conversationId, id), message])
      changes.push(['conversations', conversationId, content.kind === 'name' ? { ...now, name: content.name } : now])
    }
    await core.store.write(changes)
  })
  core.changed(conversationId)
}

/** Sends what waits, oldest first. Stops where the cell cannot be reached; what it refuses is marked so. */
export async function flush(core: Core): Promise<void> {
  await core.lock(async () => {
    const waiting = await core.store.all('outbox')
    const places = new Map(await Promise.all(waiting.map(async (each) => [each.id, (await row(core, each))?.order ?? Infinity] as const)))
    waiting.sort((one, other) => places.get(one.id)! - places.get(other.id)!)
    for (const outgoing of waiting) {
      // Its copy came back from the cell meanwhile: it is there.
      if (!(await core.store.get('outbox', outgoing.id))) continue
      const message = await row(core, outgoing)
      if (message?.state === 'failed') continue
      try {
        await deliver(core, outgoing)
      } catch (problem) {
        if (isPassing(problem)) throw problem
        const code = problem instanceof ApiError ? problem.code : problem instanceof Busy ? 'conflict' : 'unexpected'
        await core.store.write(message ? [['messages', messageKey(message.conversationId, message.id), { ...message, state: 'failed', problem: code }]] : [['outbox', outgoing.id, undefined]])
        core.changed(outgoing.conversationId)
      }
    }
  })
}

export const hashOf = (body: Uint8Array) => toHex(sha256(body))
const row = (core: Core, { conversationId, id }: Outgoing) => core.store.get('messages', messageKey(conversationId, id))

async function deliver(core: Core, waiting: Outgoing): Promise<void> {
  const { deviceId } = await core.self()
  const { conversationId } = waiting
  let outgoing = waiting
  for (let attempt = 0; attempt < TRIES; attempt++) {
    await tidy(core, conversationId)
    if (!(await core.store.get('outbox', outgoing.id))) return
    const found = await core.group(conversationId)
    if (!found) {
      if (await rejoin(core, conversationId)) continue
      throw new ApiError(409, 'not-seated', '', '')
    }
    const epoch = epochOf(found.group)
    if (outgoing.epoch !== epoch) {
      const sealed = await seal(found.group, await core.device(), outgoing.data)
      outgoing = { ...outgoing, epoch, body: sealed.body }
      // If we stop after this, the same bytes go out the next time: no key is used for two texts.
      await core.store.write([core.kept(conversationId, found.kept, sealed.group), ['outbox', outgoing.id, outgoing], ['echoes', hashOf(sealed.body), { conversationId, id: outgoing.id }]])
      sealed.forget()
    }
    try {
      const hash = sha256(bytesOf(outgoing.token))
      const sent = await core.cell.send(conversationId, { device_id: deviceId, epoch, body: write(outgoing.body), recall_hash: write(hash) })
      const message = await row(core, outgoing)
      const changes: Change[] = [['outbox', outgoing.id, undefined]]
      if (message && message.content.kind !== 'recalled') changes.push(['messages', messageKey(conversationId, message.id), { ...message, state: 'sent', envelopeId: sent.id }])
      await core.store.write(changes)
      core.changed(conversationId)
      return
    } catch (problem) {
      if (!(problem instanceof ApiError) || !RETRIED.has(problem.code)) throw problem
      if (problem.code === 'not-seated') await rejoin(core, conversationId)
      await take(core)
      await refresh(core)
      await settle(core)
    }
  }
  throw new Busy()
}

const RETRIED = new Set(['epoch-passed', 'not-seated'])

/** A message that failed, tried again. */
export async function again(core: Core, conversationId: string, id: string): Promise<void> {
  await core.lock(async () => {
    const message = await core.store.get('messages', messageKey(conversationId, id))
    if (message?.state !== 'failed') return
    await core.store.write([['messages', messageKey(conversationId, id), { ...message, state: 'sending', problem: undefined }]])
  })
  core.changed(conversationId)
  await flush(core)
}

/** A message that failed, given up. */
export async function drop(core: Core, conversationId: string, id: string): Promise<void> {
  await core.lock(() => core.store.write([['messages', messageKey(conversationId, id), undefined], ['outbox', id, undefined]]))
  core.changed(conversationId)
}

/** Takes back what was said: who has not fetched it never gets it, who has is asked to delete it. */
export async function recall(core: Core, conversationId: string, id: string): Promise<void> {
  const message = await core.store.get('messages', messageKey(conversationId, id))
  if (!message?.mine) return
  if (message.state === 'failed') return drop(core, conversationId, id)
  await say(core, conversationId, { kind: 'recall', target: id })
  if (message.envelopeId && message.token) {
    // Gone from the cell already, or fetched by all: the word to the others does the rest.
    await core.cell.takeBack(conversationId, message.envelopeId, message.token).catch(() => undefined)
  }
  await flush(core)
}
