/** One round: take in what waits, find out about commits in doubt, send what waits. */
import { settle } from './changes.ts'
import type { Core } from './core.ts'
import { take } from './inbox.ts'
import { rejoin } from './joining.ts'
import { refresh } from './list.ts'
import { flush } from './outbox.ts'

export async function sync(core: Core): Promise<number> {
  const news = await core.lock(async () => {
    const taken = await take(core)
    const conversations = await refresh(core)
    await settle(core)
    for (const { id, isOver, trouble } of conversations) {
      // A conversation that this device is no part of yet.
      if (!isOver && trouble === null && !(await core.store.get('groups', id))) await rejoin(core, id)
    }
    return taken
  })
  await flush(core)
  return news
}
