/** Which page a path names. Pure, so that it can be tested without a browser. */
import type { FeedKind } from './api/shapes.ts'

export type Match =
  | { page: 'feed'; kind: FeedKind }
  | { page: 'clip'; id: string }
  | { page: 'profile'; handle: string; tab?: 'reposts' | 'likes' | 'collections' }
  | { page: 'sound' | 'collection' | 'notice' | 'statement'; id: string }
  | { page: 'people'; handle: string; list: 'followers' | 'following' }
  | { page: 'publish' | 'favourites' | 'sign-in' | 'sign-up' | 'notifications' | 'requests' | 'find' | 'missing' }
  | { page: 'import' | 'data' | 'away' | 'circles' | 'crossings' | 'family' }
  | { page: 'search' | 'notices' | 'orders' | 'glass' | 'report' | 'reports' | 'review' | 'statements' | 'transparency' }
  | { page: 'hashtag'; tag: string }
  | { page: 'text'; which: 'terms' | 'imprint' }
  | { page: 'messages' | 'message-settings' }
  | { page: 'message-new'; handle: string | null }
  | { page: 'thread'; id: string }
  | { page: 'erasure'; ticket: string }
  | { page: 'settings' | 'staff'; section: string }

export function matchRoute(path: string): Match {
  const [first = '', second = '', ...rest] = path.split('/').filter(Boolean).map(decode)
  if (rest.length > 0) return { page: 'missing' }
  if (first.startsWith('@') && first.length > 1) {
    const handle = first.slice(1)
    if (second === '') return { page: 'profile', handle }
    if (second === 'reposts' || second === 'likes' || second === 'collections') return { page: 'profile', handle, tab: second }
    if (second === 'followers' || second === 'following') return { page: 'people', handle, list: second }
    return { page: 'missing' }
  }
  if (first === 'c' && second) return { page: 'clip', id: second }
  if (first === 's' && second) return { page: 'sound', id: second }
  if (first === 'collections' && second) return { page: 'collection', id: second }
  if (first === 'notices' && second) return { page: 'notice', id: second }
  if (first === 'statements' && second) return { page: 'statement', id: second }
  if (first === 'tag' && second) return { page: 'hashtag', tag: second }
  if (first === 'erasure' && second) return { page: 'erasure', ticket: second }
  if (first === 'messages') return messagesRoute(second)
  if (first === 'settings' && (second === 'import' || second === 'data' || second === 'away' || second === 'circles' || second === 'crossings' || second === 'family')) return { page: second }
  if (first === 'settings' || first === 'staff') return { page: first, section: second }
  if (second) return { page: 'missing' }
  switch (first) {
    case '':
      return { page: 'feed', kind: 'for-you' }
    case 'following':
    case 'friends':
    case 'latest':
      return { page: 'feed', kind: first }
    case 'terms':
    case 'imprint':
      return { page: 'text', which: first }
    case 'search':
    case 'notices':
    case 'orders':
    case 'glass':
    case 'report':
    case 'reports':
    case 'statements':
    case 'transparency':
    case 'review':
    case 'publish':
    case 'favourites':
    case 'sign-in':
    case 'sign-up':
    case 'notifications':
    case 'requests':
    case 'find':
      return { page: first }
    default:
      return { page: 'missing' }
  }
}

function messagesRoute(second: string): Match {
  if (second === '') return { page: 'messages' }
  if (second === 'settings') return { page: 'message-settings' }
  if (second === 'new') return { page: 'message-new', handle: null }
  if (second.startsWith('@') && second.length > 1) return { page: 'message-new', handle: second.slice(1) }
  return { page: 'thread', id: second }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
