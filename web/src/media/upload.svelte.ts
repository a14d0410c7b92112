/** One resumable upload (tus 1.0): it survives a lost line, a restarted cell and a reloaded page. */
import { DetailedError, Upload } from 'tus-js-client'
import { ApiError, UNREACHABLE } from '../app/api/client.ts'

const ENDPOINT = '/api/uploads'
/** Short requests, so that a proxy's limit or a cut line costs little. */
const CHUNK_BYTES = 8 * 1024 * 1024
const RETRY_MS = [0, 1000, 2000, 4000, 8000, 15_000, 15_000, 30_000, 30_000, 30_000, 60_000, 60_000]

export type UploadState = 'sending' | 'paused' | 'waiting' | 'done' | 'failed'

export class MediaUpload {
  state = $state<UploadState>('sending')
  sentBytes = $state(0)
  readonly totalBytes: number
  /** Resolves with the upload's id, as the cell knows it. */
  readonly finished: Promise<string>
  private readonly tus: Upload
  private readonly over = new AbortController()

  constructor(file: File, endpoint = ENDPOINT) {
    this.totalBytes = file.size
    let resolve: (id: string) => void = () => undefined
    let reject: (problem: unknown) => void = () => undefined
    this.finished = new Promise((yes, no) => {
      resolve = yes
      reject = no
    })
    this.tus = new Upload(file, {
      endpoint,
      chunkSize: CHUNK_BYTES,
      retryDelays: RETRY_MS,
      removeFingerprintOnSuccess: true,
      // Only the type is told: a file name may say more than its owner wants.
      metadata: { filetype: file.type },
      onProgress: (sent) => {
        this.sentBytes = sent
        if (this.state === 'waiting') this.state = 'sending'
      },
      onShouldRetry: (problem) => {
        const again = mayPass(problem)
        if (again && this.state === 'sending') this.state = 'waiting'
        return again
      },
      onSuccess: () => {
        this.state = 'done'
        this.over.abort()
        this.sentBytes = file.size
        resolve(idOf(this.tus.url))
      },
      onError: (problem) => {
        this.state = 'failed'
        this.over.abort()
        reject(told(problem))
      },
    })
    const signal = this.over.signal
    addEventListener('offline', () => this.state === 'sending' && (this.state = 'waiting'), { signal })
    addEventListener('online', () => void this.goOn(), { signal })
    void this.begin()
  }

  get share(): number {
    return this.totalBytes === 0 ? 0 : this.sentBytes / this.totalBytes
  }

  async pause(): Promise<void> {
    this.state = 'paused'
    await this.tus.abort()
  }

  resume(): void {
    this.state = 'sending'
    this.tus.start()
  }

  /** Stops, and asks the cell to drop what it has. */
  async cancel(): Promise<void> {
    this.state = 'failed'
    this.over.abort()
    await this.tus.abort(true).catch(() => undefined)
  }

  /** The line is back: at once, not after the wait that a lost one had come to; a request of before may hang for long. */
  private async goOn(): Promise<void> {
    if (this.state !== 'waiting') return
    await this.tus.abort()
    this.resume()
  }

  /** Goes on from where an earlier page stopped, if one did. */
  private async begin(): Promise<void> {
    const [earlier] = await this.tus.findPreviousUploads().catch(() => [])
    if (earlier) this.tus.resumeFromPreviousUpload(earlier)
    if (this.state !== 'paused') this.tus.start()
  }
}

function statusOf(problem: Error | DetailedError): number {
  return problem instanceof DetailedError ? (problem.originalResponse?.getStatus() ?? 0) : 0
}

/** Lost lines, restarts and locks pass; a refusal does not. */
function mayPass(problem: Error | DetailedError): boolean {
  const status = statusOf(problem)
  return status === 0 || status >= 500 || status === 409 || status === 423 || status === 429
}

function told(problem: Error | DetailedError): ApiError {
  const status = statusOf(problem)
  if (status === 0) return new ApiError(0, UNREACHABLE, '', '')
  try {
    const body = problem instanceof DetailedError ? problem.originalResponse?.getBody() : undefined
    const { code, sentence, next_step } = JSON.parse(body ?? '') as Record<string, string>
    if (code) return new ApiError(status, code, sentence ?? '', next_step ?? '')
  } catch {
    // Not our JSON.
  }
  return new ApiError(status, status === 413 ? 'too-large' : 'upload-refused', '', '')
}

function idOf(url: string | null): string {
  return new URL(url ?? '', location.origin).pathname.split('/').filter(Boolean).at(-1) ?? ''
}
