/** A device of somebody, for tests: its store, and what it can do. */
import type { Person } from '../cell.ts'
import { open } from '../changes.ts'
import { Core, type Lock } from '../core.ts'
import { thread } from '../list.ts'
import { flush, say } from '../outbox.ts'
import { begin } from '../setup.ts'
import { type Conversation, MemoryStore, type Message } from '../store.ts'
import { sync } from '../sync.ts'
import { FakeCell } from './fake-cell.ts'

export function oneAtATime(): Lock {
  let last: Promise<unknown> = Promise.resolve()
  return (act) => {
    const next = last.then(act, act)
    last = next.catch(() => undefined)
    return next
  }
}

export class Phone {
  readonly core: Core
  readonly person: Person
  readonly store = new MemoryStore()

  constructor(cell: FakeCell, person: Person, logged?: ConstructorParameters<typeof Core>[0]['logged']) {
    this.person = person
    this.core = new Core({ store: this.store, cell: cell.as(person.person_id), lock: oneAtATime(), changed: () => undefined, logged })
  }

  async begin(): Promise<this> {
    const { person_id, ...rest } = this.person
    await begin(this.core, { id: person_id, ...rest }, 'phone')
    return this
  }

  /** The same browser after a restart: only what was kept is left. */
  restarted(cell: FakeCell): Phone {
    const next = new Phone(cell, this.person)
    Object.assign(next, { store: this.store, core: new Core({ store: this.store, cell: cell.as(this.person.person_id), lock: oneAtATime(), changed: () => undefined }) })
    return next
  }

  async tell(id: string, text: string): Promise<void> {
    await say(this.core, id, { kind: 'text', text })
    await flush(this.core)
  }

  async texts(id: string): Promise<string[]> {
    return (await this.lines(id)).map(({ content }) => (content.kind === 'text' ? content.text : content.kind === 'notice' ? `(${content.what})` : `(${content.kind})`))
  }

  async lines(id: string): Promise<Message[]> {
    return thread(this.core, id)
  }

  async conversation(id: string): Promise<Conversation> {
    return (await this.core.conversation(id))!
  }
}

export async function two() {
  const cell = new FakeCell()
  const ada = await new Phone(cell, cell.person('ada')).begin()
  const bea = await new Phone(cell, cell.person('bea')).begin()
  const id = await open(ada.core, 'pair', ['bea'])
  await sync(bea.core)
  return { cell, ada, bea, id }
}
