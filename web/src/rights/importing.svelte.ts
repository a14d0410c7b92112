/** An import on its way: what is in the archive, what was ticked, and how far it is. It goes on while one visits other pages. */
import { api, ApiError } from '../app/api/client.ts'
import type { Clip, Me } from '../app/api/shapes.ts'
import { recall, remember } from '../app/memory.ts'
import { bodyOf, newDraft } from '../clips/publish/draft.ts'
import { shelf } from '../clips/shelf.svelte.ts'
import { streams } from '../feed/streams.svelte.ts'
import { fileFault, isTooLong, LIMITS, type Limits } from '../media/check.ts'
import { probe } from '../media/frames.ts'
import { MediaUpload } from '../media/upload.svelte.ts'
import { session } from '../people/session.svelte.ts'
import { matchFiles, type Match } from './tiktok/match.ts'
import { offersOf, type Offers, type Post } from './tiktok/offers.ts'
import type { Overview } from './tiktok/overview.ts'
import { NOTHING, planOf, type Plan, type PlannedClip, type Ticks } from './tiktok/plan.ts'
import { readArchive, videosIn, type VideoFile } from './tiktok/read.ts'
import { ArchiveRefused } from './tiktok/refused.ts'

/** `cell`: the file is an export of another cell of Luciole. */
export type Phase = 'pick' | 'reading' | 'choose' | 'running' | 'done' | 'cell'
export interface Step {
  kind: 'profile' | 'suggestions' | 'favourites' | 'clip'
  state: 'waiting' | 'running' | 'done' | 'failed'
  problem: unknown
  clip: PlannedClip | null
  /** What it brings, in words or numbers: a file name, a count. */
  label: string
}

/** The cell takes so many films at once and no more until some are made. */
const FULL_WAIT_MS = 20_000
const MOST_REMEMBERED = 5000

class Importing {
  phase = $state<Phase>('pick')
  problem = $state<unknown>(null)
  fileName = $state('')
  file = $state.raw<File | null>(null)
  overview = $state.raw<Overview | null>(null)
  offers = $state.raw<Offers | null>(null)
  ticks = $state<Ticks>(fresh())
  videos = $state.raw<VideoFile[]>([])
  matches = $state.raw<Match[]>([])
  /** Chosen files that are no videos. */
  passed = $state(0)
  steps = $state<Step[]>([])
  upload = $state.raw<MediaUpload | null>(null)
  /** The cell is full of films that wait to be made; it goes on by itself. */
  isFull = $state(false)
  limits = $state<Limits>(LIMITS)
  private plan: Plan | null = null
  private stopped = false
  /** Whose archive it is: when somebody else signs in, nothing of it is sent or shown. */
  private owner: string | null = null

  get left(): number {
    return this.steps.filter((step) => step.state !== 'done').length
  }

  /** Forgets an archive that another person has opened in this window. */
  belongTo(personId: string): void {
    if (this.owner !== null && this.owner !== personId) this.reset()
    this.owner = personId
  }

  async pick(file: File): Promise<void> {
    this.phase = 'reading'
    this.problem = null
    this.fileName = file.name
    try {
      const overview = await readArchive(file)
      const offers = offersOf(overview)
      this.offers = { ...offers, posts: offers.posts.filter((post) => !this.isHere(post)) }
      this.overview = overview
      this.ticks = fresh()
      this.phase = 'choose'
    } catch (problem) {
      const isOurs = problem instanceof ArchiveRefused && problem.code === 'archive-of-luciole'
      this.file = isOurs ? file : null
      this.problem = isOurs ? null : told(problem)
      this.phase = isOurs ? 'cell' : 'pick'
    }
  }

  async addVideos(files: readonly File[]): Promise<void> {
    try {
      const { videos, passed } = await videosIn(files, this.limits.max_upload_bytes)
      this.videos = [...this.videos, ...videos]
      this.passed += passed
      this.matches = matchFiles(this.offers?.posts ?? [], this.videos, this.matches)
    } catch (problem) {
      this.problem = told(problem)
    }
  }

  /** The person says which file belongs to a post; null takes it away. */
  assign(post: number, file: number | null): void {
    const others = this.matches.filter((match) => match.post !== post && match.file !== file)
    this.matches = file === null ? others : [...others, { post, file, how: 'person' }]
  }

  planned(): Plan | null {
    return this.offers && planOf(this.offers, this.ticks, this.matches)
  }

  async start(): Promise<void> {
    this.plan = this.planned()
    if (!this.plan) return
    this.steps = this.stepsOf(this.plan)
    await this.run()
  }

  /** After failures: once more what is not done. */
  async run(): Promise<void> {
    this.stopped = false
    this.phase = 'running'
    addEventListener('beforeunload', warn)
    try {
      for (const step of this.steps) {
        if (this.stopped || session.me?.id !== this.owner) break
        if (step.state !== 'done') await this.take(step)
      }
    } finally {
      removeEventListener('beforeunload', warn)
      this.isFull = false
      this.phase = 'done'
    }
  }

  /** What has arrived stays; the rest is not sent. */
  async stop(): Promise<void> {
    this.stopped = true
    await this.upload?.cancel()
  }

  reset(): void {
    this.phase = 'pick'
    this.problem = null
    this.overview = this.offers = this.plan = this.file = null
    this.videos = []
    this.matches = []
    this.passed = 0
    this.steps = []
    this.ticks = fresh()
  }

  private stepsOf(plan: Plan): Step[] {
    const step = (kind: Step['kind'], label: string | number, clip: PlannedClip | null = null): Step => ({ kind, state: 'waiting', problem: null, clip, label: String(label) })
    const steps: Step[] = []
    if (Object.keys(plan.profile).length > 0) steps.push(step('profile', ''))
    if (plan.suggestions.length > 0) steps.push(step('suggestions', plan.suggestions.length))
    if (plan.favourites.length > 0) steps.push(step('favourites', plan.favourites.length))
    return [...steps, ...plan.clips.map((clip) => step('clip', this.videos[clip.file]?.name ?? '', clip))]
  }

  private async take(step: Step): Promise<void> {
    step.state = 'running'
    step.problem = null
    try {
      if (step.kind === 'clip') await this.sendClip(step)
      else await this.sendText(step.kind)
      step.state = 'done'
    } catch (problem) {
      step.state = 'failed'
      step.problem = told(problem)
    }
  }

  private async sendText(kind: 'profile' | 'suggestions' | 'favourites'): Promise<void> {
    const plan = this.plan
    if (!plan) return
    if (kind === 'profile') session.set(await api.patch<Me>('/api/me', plan.profile))
    else if (kind === 'suggestions') await api.put('/api/me/imported/suggestions', { handles: plan.suggestions })
    else await api.put('/api/me/imported/favourites', { items: plan.favourites })
  }

  private async sendClip({ clip }: Step): Promise<void> {
    const [video, me] = [clip && this.videos[clip.file], session.me]
    if (!clip || !video || !me) return
    const file = await video.open()
    const fault = fileFault(file, this.limits)
    if (fault) throw new ApiError(0, fault, '', '')
    const url = URL.createObjectURL(file)
    const found = await probe(url)
    URL.revokeObjectURL(url)
    if (found && isTooLong(found.durationMs, this.limits)) throw new ApiError(0, 'too-long', '', '')
    const draft = { ...newDraft(file, me.id), caption: clip.caption, audience: clip.audience, madeWithAi: clip.madeWithAi }
    const uploadId = await this.arrive(file)
    shelf.put(await api.post<Clip>('/api/clips', bodyOf(draft, uploadId, found?.durationMs ?? 0)))
    streams.forgetPerson(me.handle)
    this.note(clip.post)
  }

  /** The upload's id, once the file is at the cell. */
  private async arrive(file: File): Promise<string> {
    for (;;) {
      try {
        this.upload = new MediaUpload(file)
        return await this.upload.finished
      } catch (problem) {
        if (!(problem instanceof ApiError) || problem.code !== 'too-many-held' || this.stopped) throw problem
        this.isFull = true
        await new Promise((resolve) => setTimeout(resolve, FULL_WAIT_MS))
        this.isFull = false
      } finally {
        this.upload = null
      }
    }
  }

  /** Which posts are here already, in this browser's memory, so that a second try sends none twice. */
  private isHere(post: Post): boolean {
    return (recall(memory()) ?? '').split(' ').includes(markOf(post))
  }

  private note(id: number): void {
    const post = this.offers?.posts.find((one) => one.id === id)
    if (!post) return
    const marks = (recall(memory()) ?? '').split(' ').filter(Boolean)
    remember(memory(), [...marks, markOf(post)].slice(-MOST_REMEMBERED).join(' '))
  }
}

function fresh(): Ticks {
  return { ...NOTHING, favourites: [] }
}

function memory(): string {
  return `imported.${session.me?.id ?? ''}`
}

function markOf(post: Post): string {
  return post.number ?? String(post.when?.ms ?? `untold-${post.id}`)
}

function told(problem: unknown): unknown {
  return problem instanceof ArchiveRefused ? new ApiError(0, problem.code, '', '') : problem
}

function warn(event: BeforeUnloadEvent): void {
  event.preventDefault()
}

export const importing = new Importing()
