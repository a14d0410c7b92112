/** One small client for the cell's API: JSON in, JSON out, one error type. */

export interface Pace {
  most: number
  perS: number
  until: string
}

export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly sentence: string
  readonly nextStep: string
  /** Of what is withheld (451): the id of the notice that says why. */
  readonly notice: string | null
  /** Of what a decision of moderators keeps from here: the id of the statement that says why. */
  readonly statement: string | null

  /** Of what was done as often as one may: how often, in which time, and until when it waits. */
  readonly pace: Pace | null

  constructor(status: number, code: string, sentence: string, nextStep: string, notice: string | null = null, statement: string | null = null, pace: Pace | null = null) {
    super(`${code}: ${sentence}`)
    this.status = status
    this.code = code
    this.sentence = sentence
    this.nextStep = nextStep
    this.notice = notice
    this.statement = statement
    this.pace = pace
  }
}

/** Code of the error that means "no answer came at all". */
export const UNREACHABLE = 'unreachable'

type Query = Record<string, string | number | null | undefined>
interface Options {
  query?: Query
  body?: unknown
  signal?: AbortSignal
  /** The request outlives the page that sends it. */
  keepalive?: boolean
}

const whenSignedOut = new Set<() => void>()

/** Calls back when the cell says that our session is over. */
export function onSignedOut(callback: () => void): void {
  whenSignedOut.add(callback)
}

async function send(method: string, path: string, options: Options = {}): Promise<Response> {
  const url = new URL(path, location.origin)
  for (const [name, value] of Object.entries(options.query ?? {})) {
    if (value !== null && value !== undefined) url.searchParams.set(name, String(value))
  }
  const raw = options.body instanceof Blob
  const headers: Record<string, string> = { accept: 'application/json' }
  let body: BodyInit | undefined
  if (raw) {
    body = options.body as Blob
    headers['content-type'] = (options.body as Blob).type || 'application/octet-stream'
  } else if (options.body !== undefined) {
    body = JSON.stringify(options.body)
    headers['content-type'] = 'application/json'
  }
  let response: Response
  try {
    response = await fetch(url, { method, headers, body, signal: options.signal ?? null, keepalive: options.keepalive ?? false, credentials: 'same-origin' })
  } catch (cause) {
    if (options.signal?.aborted) throw cause
    throw new ApiError(0, UNREACHABLE, 'The cell did not answer.', 'Check your connection and try again.')
  }
  if (!response.ok) throw await refusal(response)
  return response
}

/** Reads `most=…;per_s=…;until=…`. */
export function paceOf(header: string | null): Pace | null {
  const found = /^most=(\d+);per_s=(\d+);until=(\S+)$/.exec(header ?? '')
  return found ? { most: Number(found[1]), perS: Number(found[2]), until: found[3] ?? '' } : null
}

async function refusal(response: Response): Promise<ApiError> {
  let told: { code?: string; sentence?: string; next_step?: string } = {}
  try {
    told = await response.json()
  } catch {
    // A proxy or a crash answered without our JSON: the status is all we know.
  }
  const code = told.code ?? (response.status >= 500 ? 'unavailable' : `http-${response.status}`)
  if (response.status === 401 && code === 'not-signed-in') for (const callback of whenSignedOut) callback()
  // RFC 7725: the link to who blocks, and beside it the notice.
  const link = response.headers.get('link') ?? ''
  const statement = /\/statements\/([0-9a-f-]{36})>/.exec(link)
  const notice = response.status === 451 ? /\/notices\/([0-9a-f-]{36})>/.exec(link) : null
  return new ApiError(response.status, code, told.sentence ?? '', told.next_step ?? '', notice?.[1] ?? null, statement?.[1] ?? null, paceOf(response.headers.get('x-pace')))
}

async function json<T>(method: string, path: string, options?: Options): Promise<T> {
  const response = await send(method, path, options)
  if (response.status === 204 || response.headers.get('content-length') === '0') return undefined as T
  return (await response.json()) as T
}

export const api = {
  /** Asks only whether there is an answer. */
  head: async (path: string) => void (await send('HEAD', path)),
  text: async (path: string, query?: Query) => (await send('GET', path, { query })).text(),
  /** Null where there is nothing. */
  bytes: async (path: string): Promise<Uint8Array | null> => {
    try {
      return new Uint8Array(await (await send('GET', path)).arrayBuffer())
    } catch (problem) {
      if (problem instanceof ApiError && problem.status === 404) return null
      throw problem
    }
  },
  /** Bytes for JSON or for bytes. */
  exchange: async (path: string, body: unknown): Promise<Uint8Array> => new Uint8Array(await (await send('POST', path, { body })).arrayBuffer()),
  get: <T>(path: string, query?: Query, signal?: AbortSignal) => json<T>('GET', path, { query, signal }),
  post: <T>(path: string, body: unknown = {}, options: Pick<Options, 'keepalive'> = {}) => json<T>('POST', path, { body, ...options }),
  put: <T>(path: string, body?: unknown) => json<T>('PUT', path, { body }),
  patch: <T>(path: string, body: unknown) => json<T>('PATCH', path, { body }),
  delete: <T = void>(path: string, body?: unknown) => json<T>('DELETE', path, { body }),
}

/** Path of a person's resource; the handle is escaped. */
export function personPath(handle: string, rest = ''): string {
  return `/api/people/${encodeURIComponent(handle)}${rest}`
}
