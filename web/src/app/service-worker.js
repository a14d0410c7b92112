/* Keeps the shell (page, script, style) so that the app opens without a network.
   It never touches /api or /media: what a person watches or writes is not kept here. */
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
