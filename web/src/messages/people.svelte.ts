/** Those whom one may choose: whom one follows, and who of them are friends (each follows the other). */
import { api, ApiError, personPath } from '../app/api/client.ts'
import type { Author, Card, Page, Profile } from '../app/api/shapes.ts'

export interface Choice extends Author {
  isFriend: boolean
}

const PAGES = 8

async function all(path: string): Promise<Card[]> {
  const found: Card[] = []
  for (let cursor: string | null = null, page = 0; page < PAGES; page++) {
    const next: Page<Card> = await api.get(path, { cursor, limit: 50 })
    found.push(...next.items)
    cursor = next.next
    if (cursor === null) break
  }
  return found
}

export async function choices(handle: string): Promise<Choice[]> {
  const [following, followers] = await Promise.all([all(personPath(handle, '/following')), all(personPath(handle, '/followers'))])
  const back = new Set(followers.map((each) => each.handle))
  const found = following.map((each) => ({ handle: each.handle, display_name: each.display_name, avatar_url: each.avatar_url, isFriend: back.has(each.handle) }))
  return found.sort((one, other) => Number(other.isFriend) - Number(one.isFriend) || one.display_name.localeCompare(other.display_name))
}

/** The person with exactly this handle; null if there is none. */
export async function byHandle(handle: string): Promise<Choice | null> {
  try {
    const found = await api.get<Profile>(personPath(handle))
    if (found.viewer?.is_me) return null
    return { handle: found.handle, display_name: found.display_name, avatar_url: found.avatar_url, isFriend: found.viewer?.is_friend ?? false }
  } catch (problem) {
    if (problem instanceof ApiError && problem.status === 404) return null
    throw problem
  }
}
