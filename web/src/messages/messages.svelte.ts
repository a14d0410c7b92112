/** Messages as the pages see them: what this device keeps, followed as it changes, in all tabs of this browser. */
import { untrack } from 'svelte'
import { ApiError } from '../app/api/client.ts'
import type { Me } from '../app/api/shapes.ts'
import { t } from '../app/i18n/index.svelte.ts'
import { remember } from '../app/memory.ts'
import { route } from '../app/router.svelte.ts'
import { live } from '../notify/live.svelte.ts'
import { toasts } from '../notify/toasts.svelte.ts'
import { cell, type MessageSettings, type Person } from './engine/cell.ts'
import { saveCopyIfDue } from './engine/copy.ts'
import { Core, isPassing, type Lock } from './engine/core.ts'
import { BrowserStore } from './engine/idb.ts'
import { thread } from './engine/list.ts'
import { hearSignal } from './engine/marks.ts'
import { flush, say } from './engine/outbox.ts'
import { begin, end, isStillOurs, stock } from './engine/setup.ts'
import { type Conversation, type Message, ONLY } from './engine/store.ts'
import { sync } from './engine/sync.ts'
import { deviceName } from './device-name.ts'
import { policyText } from './policy.ts'
import type { Content } from './payload.ts'
import { checkDevice } from '../verify/device.ts'

/** `new`: this browser is no device yet. `unable`: it cannot be one. */
export type Phase = 'waking' | 'new' | 'beginning' | 'ready' | 'off' | 'unable'

const ROUND_MS = 4 * 60_000
const TYPING_MS = 6000

class Messages {
  phase = $state<Phase>('waking')
  conversations = $state.raw<Conversation[]>([])
  threads = $state.raw<Record<string, Message[]>>({})
  /** Who is typing where, and until when that is believed. */
  typing = $state.raw<Record<string, Record<string, number>>>({})
  people = $state.raw<Record<string, Person>>({})
  settings = $state.raw<MessageSettings | null>(null)
  problem = $state<unknown>(null)
  /** The first round after the start is done. */
  isFresh = $state(false)
  me: Me | null = null
  core: Core | null = null
  private channel: BroadcastChannel | null = null
  private isLeader = false
  private release: (() => void) | null = null
  private round: Promise<void> | null = null
  private wantsMore = false
  private timer: ReturnType<typeof setInterval> | undefined
  private started: Promise<void> | null = null

  /** Wakes for a person. Whoever asks again waits for the same. */
  start(me: Me): Promise<void> {
    return untrack(() => this.startOnce(me))
  }

  private startOnce(me: Me): Promise<void> {
    if (this.me?.id === me.id && this.started && this.phase !== 'unable') return this.started
    this.stop()
    this.me = me
    this.started = this.wake(me)
    return this.started
  }

  /** Somebody else is here, or nobody. */
  stop(): void {
    clearInterval(this.timer)
    this.release?.()
    this.channel?.close()
    this.release = this.channel = this.core = this.me = this.started = null
    this.isLeader = this.isFresh = false
    this.phase = 'waking'
    this.conversations = []
    this.threads = {}
    this.people = {}
    this.typing = {}
    this.settings = null
  }

  private async wake(me: Me): Promise<void> {
    if (!(await canEncrypt())) {
      this.phase = 'unable'
      return
    }
    const core = new Core({
      store: new BrowserStore(me.id), cell, lock: lockOf(me.id), changed: (id) => this.changed(id), logged: async (_person, device) => {
        const policy = await policyText(me.id)
        if (policy === null) return null
        return (await checkDevice(device, policy, Math.floor(Date.now() / 1000))).verdict !== 'RED'
      },
    })
    this.core = core
    this.channel = new BroadcastChannel(`luciole.messages.${me.id}`)
    this.channel.onmessage = (event: MessageEvent<string | null>) => void this.read(event.data)
    try {
      const self = await core.store.get('self', ONLY)
      if (!self) {
        remember(`messages.${me.id}`, null)
        await this.askSettings()
        this.phase = this.settings?.is_off ? 'off' : 'new'
        return
      }
      if (self.handle !== me.handle) await core.store.write([['self', ONLY, { ...self, handle: me.handle }]])
      await this.run()
    } catch (problem) {
      this.problem = problem
      this.phase = 'unable'
    }
  }

  /** Makes this browser a device. */
  async begin(): Promise<void> {
    if (!this.core || !this.me) return
    this.phase = 'beginning'
    this.problem = null
    try {
      // So that the browser does not clear keys away when the disk is full; it may say no.
      void navigator.storage?.persist?.()
      await begin(this.core, this.me, deviceName(navigator.userAgent))
      await this.run()
    } catch (problem) {
      this.problem = problem
      // What was begun goes on the next time.
      this.phase = (await this.core.store.get('self', ONLY)) ? 'ready' : 'new'
    }
  }

  private async run(): Promise<void> {
    remember(`messages.${this.me!.id}`, 'on')
    await this.read(null)
    this.phase = 'ready'
    live.listen('message', () => void this.look())
    live.listen('signal', (news) => news && void this.hear(news.conversation_id, news.body))
    void this.askSettings()
    void this.lead()
    // Whoever opens the page waits for no election.
    await this.go()
    clearInterval(this.timer)
    this.timer = setInterval(() => void this.look(), ROUND_MS)
  }

  /** One tab of this browser looks for all of them. */
  private async lead(): Promise<void> {
    const id = this.me?.id
    await navigator.locks.request(`luciole.messages.leader.${id}`, async () => {
      if (this.me?.id !== id) return
      this.isLeader = true
      await new Promise<void>((resolve) => (this.release = resolve))
    })
  }

  /** Something may wait. */
  async look(): Promise<void> {
    if (this.isLeader) await this.go()
  }

  /** A round now, or one more after the one that runs. */
  async go(): Promise<void> {
    if (this.round) {
      this.wantsMore = true
      return this.round
    }
    this.round = this.rounds()
    await this.round
  }

  private async rounds(): Promise<void> {
    const core = this.core
    try {
      do {
        this.wantsMore = false
        if (!core || !(await core.store.get('self', ONLY))) return
        await sync(core)
        this.problem = null
      } while (this.wantsMore && core === this.core)
      this.isFresh = true
      void stock(core).catch(() => undefined)
      void saveCopyIfDue(core).catch(() => undefined)
    } catch (problem) {
      if (problem instanceof ApiError && problem.code === 'no-such-device' && core && !(await isStillOurs(core).catch(() => true))) return this.wiped()
      this.problem = problem
    } finally {
      this.round = null
    }
  }

  private wiped(): void {
    if (this.me) remember(`messages.${this.me.id}`, null)
    this.phase = 'new'
    this.conversations = []
    this.threads = {}
  }

  private changed(id: string | null): void {
    this.channel?.postMessage(id)
    void this.read(id)
  }

  private async read(id: string | null): Promise<void> {
    const core = this.core
    if (!core) return
    const before = new Map(this.conversations.map((each) => [each.id, each]))
    const all = (await core.store.all('conversations')).sort((one, other) => rank(other) - rank(one))
    if (core !== this.core) return
    this.people = Object.fromEntries((await core.store.all('people')).map((person) => [person.person_id, person]))
    for (const each of all) this.tellOf(before.get(each.id), each)
    this.conversations = all
    live.mail = all.some((each) => each.unread > 0 && !each.told.is_muted)
    for (const open of Object.keys(this.threads)) if (id === null || id === open) await this.load(open)
  }

  /** Says aloud that somebody wrote, but not what. */
  private tellOf(before: Conversation | undefined, after: Conversation): void {
    const isNew = this.isFresh && after.unread > (before?.unread ?? 0) && document.visibilityState === 'visible' && this.isLeader
    const isOpen = route.match.page === 'thread' && route.match.id === after.id
    if (!isNew || isOpen || after.told.is_muted || after.told.folder === 'requests') return
    toasts.show({ kind: 'news', text: t('messages.came', { name: this.title(after) }), href: `/messages/${after.id}` })
  }

  async load(id: string): Promise<void> {
    if (!this.core) return
    const lines = await thread(this.core, id)
    this.threads = { ...this.threads, [id]: lines }
  }

  close(id: string): void {
    const { [id]: _, ...rest } = this.threads
    this.threads = rest
  }

  /** Says something, and brings it on its way. What cannot be sent stays in the thread, marked. */
  async say(id: string, content: Content): Promise<void> {
    if (!this.core) return
    await say(this.core, id, content)
    await flush(this.core).catch((problem: unknown) => {
      if (!isPassing(problem)) throw problem
    })
  }

  private async hear(id: string, body: string): Promise<void> {
    if (!this.core) return
    const heard = await hearSignal(this.core, id, body).catch(() => null)
    if (!heard) return
    this.typing = { ...this.typing, [id]: { ...this.typing[id], [heard.personId]: heard.isTyping ? Date.now() + TYPING_MS : 0 } }
    // What nobody says again is over.
    setTimeout(() => (this.typing = { ...this.typing }), TYPING_MS + 50)
  }

  /** Those who are typing in a conversation now. */
  typists(id: string): Person[] {
    return Object.entries(this.typing[id] ?? {}).flatMap(([personId, until]) => (until > Date.now() && this.people[personId] ? [this.people[personId]] : []))
  }

  async askSettings(): Promise<void> {
    this.settings = await cell.settings()
  }

  /** Ends this device: removed from the directory, and all that it kept deleted. */
  async end(): Promise<void> {
    if (!this.core || !this.me) return
    await end(this.core)
    this.wiped()
  }

  others({ told }: Conversation): Person[] {
    return told.members.filter((member) => member.person_id !== this.me?.id)
  }

  title(conversation: Conversation): string {
    if (conversation.told.kind === 'group' && conversation.name) return conversation.name
    const names = this.others(conversation).map((person) => person.display_name)
    return names.length > 0 ? names.slice(0, 3).join(', ') : t('messages.nobody')
  }

  name(personId: string): string {
    return this.people[personId]?.display_name ?? t('messages.somebody')
  }
}

export const messages = new Messages()

function rank({ lastAt, told }: Conversation): number {
  return lastAt || Date.parse(told.updated_on)
}

function lockOf(personId: string): Lock {
  return (act) => navigator.locks.request(`luciole.messages.${personId}`, act) as Promise<never>
}

/** Whether this browser has what MLS needs: a safe address, its keys, and a place to keep them. */
async function canEncrypt(): Promise<boolean> {
  try {
    if (!globalThis.isSecureContext || !navigator.locks || !globalThis.indexedDB) return false
    await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])
    await crypto.subtle.generateKey('X25519', false, ['deriveBits'])
    return true
  } catch {
    return false
  }
}
