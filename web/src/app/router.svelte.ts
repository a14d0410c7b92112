/** History routing: the address is the state, links are plain `<a href>`. */
import { tick } from 'svelte'
import { matchRoute, type Match } from './routes.ts'

const state = $state({
  match: matchRoute(location.pathname),
  path: location.pathname + location.search,
  query: new URLSearchParams(location.search),
})

export const route = {
  get match(): Match {
    return state.match
  },
  get path(): string {
    return state.path
  },
  get query(): URLSearchParams {
    return state.query
  },
}

function read(): void {
  state.match = matchRoute(location.pathname)
  state.path = location.pathname + location.search
  state.query = new URLSearchParams(location.search)
}

async function arrived(): Promise<void> {
  await tick()
  // A new page starts at its top, and a screen reader hears its heading.
  const heading = document.querySelector<HTMLElement>('main h1, main [data-autofocus]')
  heading?.setAttribute('tabindex', '-1')
  heading?.focus({ preventScroll: true })
}

/** Goes to a path of this client. `replace` leaves no step behind. */
export function go(path: string, options: { replace?: boolean } = {}): void {
  if (path === state.path) return
  if (options.replace) history.replaceState({ inside: history.state?.inside }, '', path)
  else history.pushState({ inside: true }, '', path)
  read()
  if (!options.replace) {
    scrollTo(0, 0)
    void arrived()
  }
}

/** Shows another address for what is already on the screen. */
export function rename(path: string): void {
  history.replaceState(history.state, '', path)
}

/** Back to where the person was inside Luciole, else to `fallback`. */
export function back(fallback = '/'): void {
  if (history.state?.inside) history.back()
  else go(fallback, { replace: true })
}

/** Where to come back after signing in: only a path of ours, never another site. */
export function comeBack(): string {
  const next = state.query.get('next') ?? '/'
  return next.startsWith('/') && !next.startsWith('//') && !next.includes('\\') ? next : '/'
}

/** Follows clicks on our own links without loading the page again. */
export function startRouter(): void {
  addEventListener('popstate', read)
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0) return
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    const link = (event.target as Element | null)?.closest('a')
    if (!link?.href || link.target || link.hasAttribute('download')) return
    const url = new URL(link.href)
    if (url.origin !== location.origin || url.hash) return
    if (matchRoute(url.pathname).page === 'missing') return
    event.preventDefault()
    go(url.pathname + url.search)
  })
}
