/** Groups that change: who comes, who goes, races for an epoch, and commits whose answers are lost. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from '../../app/api/client.ts'
import { add, leave, open, remove } from './changes.ts'
import { say } from './outbox.ts'
import { sync } from './sync.ts'
import { FakeCell } from './testing/fake-cell.ts'
import { Phone } from './testing/phone.ts'

const OFFLINE = () => new ApiError(0, 'unreachable', '', '')

test('a group grows, shrinks, and keeps who left out', async () => {
  const cell = new FakeCell()
  const [ada, bea, carl] = await Promise.all(['ada', 'bea', 'carl'].map((handle) => new Phone(cell, cell.person(handle)).begin()))
  const id = await open(ada!.core, 'group', ['bea'])
  await say(ada!.core, id, { kind: 'name', name: 'Us' })
  await ada!.tell(id, 'Two of us')
  await add(ada!.core, id, ['carl'])
  await sync(carl!.core)
  await sync(bea!.core)
  await bea!.tell(id, 'Hello Carl')
  await sync(carl!.core)
  assert.deepEqual(await carl!.texts(id), ['Hello Carl'])
  assert.equal((await bea!.conversation(id)).name, 'Us')
  await leave(carl!.core, id, () => carl!.core.cell.leave(id))
  await sync(ada!.core)
  await ada!.tell(id, 'Without Carl')
  await sync(bea!.core)
  assert.ok((await bea!.texts(id)).includes('Without Carl'))
  assert.ok((await bea!.texts(id)).includes('(left)'))
  assert.deepEqual(await carl!.lines(id), [])
  await remove(ada!.core, id, 'bea')
  await sync(bea!.core)
  assert.equal((await bea!.conversation(id)).isOver, true)
})

test('two commits race, and both end in', async () => {
  const cell = new FakeCell()
  const [ada, bea] = await Promise.all(['ada', 'bea', 'carl', 'dora'].map((handle) => new Phone(cell, cell.person(handle)).begin()))
  const id = await open(ada!.core, 'group', ['bea'])
  await sync(bea!.core)
  await Promise.all([add(ada!.core, id, ['carl']), add(bea!.core, id, ['dora'])])
  for (const phone of [ada!, bea!, ada!]) await sync(phone.core)
  assert.equal(cell.groups.get(id)?.epoch, 3)
  await ada!.tell(id, 'All of us')
  await sync(bea!.core)
  assert.ok((await bea!.texts(id)).includes('All of us'))
})

test('a commit whose answer was lost is found to be taken', async () => {
  const cell = new FakeCell()
  const [ada, bea, carl] = await Promise.all(['ada', 'bea', 'carl'].map((handle) => new Phone(cell, cell.person(handle)).begin()))
  const id = await open(ada!.core, 'group', ['bea'])
  await sync(bea!.core)
  let lost = 0
  cell.after = (name, who) => {
    if (name === 'commit' && who === ada!.person.person_id && lost++ === 0) throw OFFLINE()
  }
  await assert.rejects(add(ada!.core, id, ['carl']))
  for (const phone of [bea!, carl!]) await sync(phone.core)
  await bea!.tell(id, 'Built on it')
  const later = ada!.restarted(cell)
  await sync(later.core)
  await later.tell(id, 'And on')
  await sync(carl!.core)
  assert.ok((await later.texts(id)).includes('Built on it'))
  assert.deepEqual((await carl!.texts(id)), ['Built on it', 'And on'])
})

test('a commit that never arrived is given up', async () => {
  const cell = new FakeCell()
  const [ada, bea] = await Promise.all(['ada', 'bea', 'carl'].map((handle) => new Phone(cell, cell.person(handle)).begin()))
  const id = await open(ada!.core, 'group', ['bea'])
  await sync(bea!.core)
  cell.before = (name, who) => {
    if (name === 'commit' && who === ada!.person.person_id) throw OFFLINE()
  }
  await assert.rejects(add(ada!.core, id, ['carl']))
  cell.before = () => undefined
  await add(bea!.core, id, ['carl'])
  const later = ada!.restarted(cell)
  await sync(later.core)
  await later.tell(id, 'Still here')
  await sync(bea!.core)
  assert.ok((await bea!.texts(id)).includes('Still here'))
})
