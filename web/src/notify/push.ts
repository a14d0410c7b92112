/** Waking this device: the browser is asked only when the person taps. */
import { api, ApiError } from '../app/api/client.ts'
import type { PushTold } from '../app/api/shapes.ts'
import { offset } from './wishes.svelte.ts'

export type PushState = 'unsupported' | 'not-offered' | 'denied' | 'off' | 'on'

export async function pushState(): Promise<PushState> {
  const told = await api.get<PushTold>('/api/me/push')
  if (!told.is_offered) return 'not-offered'
  if ((await manager()) === null) return 'unsupported'
  if (told.is_on && Notification.permission === 'granted') return 'on'
  return Notification.permission === 'denied' ? 'denied' : 'off'
}

export async function wakeMe(): Promise<void> {
  // First of all: browsers ask only as long as a tap is fresh.
  if ((await Notification.requestPermission()) !== 'granted') throw new ApiError(0, 'push-denied', '', '')
  const told = await api.get<PushTold>('/api/me/push')
  const pushes = await manager()
  if (!pushes || !told.key) throw new ApiError(0, 'push-failed', '', '')
  const subscription = await subscribed(pushes, told.key)
  await api.put('/api/me/push', { endpoint: subscription.endpoint, offset_minutes: offset() })
}

export async function letMeSleep(): Promise<void> {
  // Nothing wakes from here on, also where the browser does not do its part.
  await api.delete('/api/me/push')
  const subscription = await (await manager())?.getSubscription()
  await subscription?.unsubscribe().catch(() => false)
}

async function manager(): Promise<PushManager | null> {
  if (!('serviceWorker' in navigator) || !('PushManager' in window) || !('Notification' in window)) return null
  return (await navigator.serviceWorker.getRegistration())?.pushManager ?? null
}

async function subscribed(pushes: PushManager, key: string): Promise<PushSubscription> {
  const options = { userVisibleOnly: true, applicationServerKey: key }
  try {
    return await pushes.subscribe(options).catch(async () => {
      // There may be one under another key, of before the cell was restored.
      await (await pushes.getSubscription())?.unsubscribe()
      return pushes.subscribe(options)
    })
  } catch {
    throw new ApiError(0, 'push-failed', '', '')
  }
}
