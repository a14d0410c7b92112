/* Keeps the shell (page, script, style) so that the app opens without a network.
   Of /api and /media it keeps nothing: what a person watches or writes is not kept here.
   Woken by a push, which has no content, it asks the cell and says in one sentence that there is something new. */
const VERSION = __VERSION__
const SHELL = __SHELL__
const CACHE = `luciole-shell-${VERSION}`

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(SHELL)).then(() => self.skipWaiting()))
})

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name.startsWith('luciole-shell-') && name !== CACHE).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  )
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== self.location.origin) return
  if (/^\/(api|media|healthz|readyz|metrics)(\/|$)/.test(url.pathname)) return
  if (request.mode === 'navigate') {
    // The network first, so that a new version is seen at once; the kept shell only when there is none.
    event.respondWith(
      fetch(request).catch(async () => (await caches.match('/')) ?? (await caches.match('/offline.html')) ?? Response.error()),
    )
    return
  }
  if (!url.pathname.startsWith('/assets/') && !SHELL.includes(url.pathname)) return
  event.respondWith(
    caches.match(request).then(
      (kept) =>
        kept ??
        fetch(request).then((response) => {
          // Only hashed files are added later: their content can never change under the same name.
          if (response.ok && url.pathname.startsWith('/assets/')) {
            const copy = response.clone()
            caches.open(CACHE).then((cache) => cache.put(request, copy))
          }
          return response
        }),
    ),
  )
})

const TOLD = {
  en: { news: 'There is something new for you.', message: 'There is a message for you.' },
  fr: { news: 'Il y a du nouveau pour vous.', message: 'Il y a un message pour vous.' },
}
const PLACES = { news: '/notifications', message: '/messages' }
const TAG = 'luciole'

self.addEventListener('push', (event) => event.waitUntil(tellOfNews()))

async function tellOfNews() {
  const windows = await self.clients.matchAll({ type: 'window', includeUncontrolled: true })
  // An open page tells by itself.
  if (windows.some((one) => one.visibilityState === 'visible')) return
  const [push, list] = await Promise.all([ask('/api/me/push'), ask('/api/notifications/unread')])
  const why = push?.woken_for === 'message' ? 'message' : 'news'
  // Seen on another device meanwhile. Where the cell did not answer, one push is no mistake.
  if (why === 'news' && list?.unread === false) return
  const words = TOLD[push?.locale] ?? TOLD[navigator.language.slice(0, 2)] ?? TOLD.en
  // The lock screen is seen by others: no name, no picture, no kind.
  await self.registration.showNotification('Luciole', {
    body: words[why],
    tag: TAG,
    icon: '/icons/luciole-192.png',
    data: { place: PLACES[why] },
  })
}

async function ask(path) {
  try {
    const answer = await fetch(path, { headers: { accept: 'application/json' }, cache: 'no-store' })
    return answer.ok ? await answer.json() : null
  } catch {
    return null
  }
}

self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  const place = event.notification.data?.place ?? '/'
  event.waitUntil(
    self.clients.matchAll({ type: 'window' }).then(async (windows) => {
      const [first] = windows
      if (!first) return self.clients.openWindow(place)
      await first.navigate(place)
      return first.focus()
    }),
  )
})

/* The browser has given this device another address. */
self.addEventListener('pushsubscriptionchange', (event) => {
  event.waitUntil(
    (async () => {
      const push = await ask('/api/me/push')
      if (!push?.is_on || !push.key) return
      const made = event.newSubscription ?? (await self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: push.key }))
      const body = JSON.stringify({ endpoint: made.endpoint, offset_minutes: -new Date().getTimezoneOffset() })
      await fetch('/api/me/push', { method: 'PUT', headers: { 'content-type': 'application/json' }, body })
    })(),
  )
})
