/** Devices that talk through a cell which loses answers, and are taken in after every kind of stop. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from '../../app/api/client.ts'
import { toUtf8 } from '../../verify/bytes.ts'
import { open } from './changes.ts'
import { again, flush, recall, say } from './outbox.ts'
import { begin, end, isStillOurs, stock } from './setup.ts'
import { sync } from './sync.ts'
import { FakeCell } from './testing/fake-cell.ts'
import { Phone, two } from './testing/phone.ts'

const OFFLINE = () => new ApiError(0, 'unreachable', '', '')

test('two people talk, and each sees what the other said once', async () => {
  const { ada, bea, id } = await two()
  await ada.tell(id, 'Hello Bea')
  assert.equal(await sync(bea.core), 1)
  await bea.tell(id, 'Hello Ada')
  await sync(ada.core)
  await sync(bea.core)
  assert.deepEqual(await ada.texts(id), ['Hello Bea', 'Hello Ada'])
  assert.deepEqual(await bea.texts(id), ['Hello Bea', 'Hello Ada'])
  assert.deepEqual((await ada.lines(id)).map((line) => line.state), ['sent', 'received'])
  assert.equal((await bea.conversation(id)).unread, 1)
})

test('a second conversation with the same person is the first', async () => {
  const { ada, bea, id } = await two()
  assert.equal(await open(ada.core, 'pair', ['bea']), id)
  assert.equal(await open(bea.core, 'pair', ['ada']), id)
})

test('both begin at once, and end in one conversation', async () => {
  const cell = new FakeCell()
  const ada = await new Phone(cell, cell.person('ada')).begin()
  const bea = await new Phone(cell, cell.person('bea')).begin()
  const ids = await Promise.all([open(ada.core, 'pair', ['bea']), open(bea.core, 'pair', ['ada'])])
  assert.equal(ids[0], ids[1])
  for (const phone of [ada, bea, ada]) await sync(phone.core)
  await ada.tell(ids[0], 'One')
  await sync(bea.core)
  assert.ok((await bea.texts(ids[0])).includes('One'))
})

test('a lost answer sends nothing twice', async () => {
  const { cell, ada, bea, id } = await two()
  let lost = 0
  cell.after = (name, who) => {
    if (name === 'send' && who === ada.person.person_id && lost++ === 0) throw OFFLINE()
  }
  await assert.rejects(ada.tell(id, 'Is this thing on?'))
  assert.deepEqual((await ada.lines(id)).map((line) => line.state), ['sending'])
  await sync(ada.restarted(cell).core)
  await sync(bea.core)
  assert.deepEqual((await bea.texts(id)).filter((text) => text === 'Is this thing on?').length, 1)
  await ada.tell(id, 'Yes')
  await sync(bea.core)
  assert.ok((await bea.texts(id)).includes('Yes'))
})

test('without a network a message waits, and goes when there is one', async () => {
  const { cell, ada, bea, id } = await two()
  cell.before = (_name, who) => {
    if (who === ada.person.person_id) throw OFFLINE()
  }
  await assert.rejects(ada.tell(id, 'Later'))
  cell.before = () => undefined
  await sync(ada.core)
  await sync(bea.core)
  assert.deepEqual(await bea.texts(id), ['Later'])
})

test('what the cell refuses is marked, and can be tried again', async () => {
  const { cell, ada, bea, id } = await two()
  cell.before = (name) => {
    if (name === 'send') throw new ApiError(403, 'cannot-write', '', '')
  }
  await ada.tell(id, 'Please')
  const [line] = await ada.lines(id)
  assert.deepEqual([line?.state, line?.problem], ['failed', 'cannot-write'])
  cell.before = () => undefined
  await again(ada.core, id, line!.id)
  await sync(bea.core)
  assert.deepEqual(await bea.texts(id), ['Please'])
})

test('a stop in the middle of taking in loses nothing and repeats nothing', async () => {
  const { cell, ada, bea, id } = await two()
  for (const text of ['1', '2', '3']) await ada.tell(id, text)
  cell.before = (name, who) => {
    if (name === 'ack' && who === bea.person.person_id) throw OFFLINE()
  }
  await assert.rejects(sync(bea.core))
  cell.before = () => undefined
  const later = bea.restarted(cell)
  await sync(later.core)
  assert.deepEqual(await later.texts(id), ['1', '2', '3'])
})

test('a second device joins, is announced, and reads what comes after', async () => {
  const { cell, ada, bea, id } = await two()
  await ada.tell(id, 'Before')
  await sync(bea.core)
  const tablet = await new Phone(cell, bea.person).begin()
  await ada.tell(id, 'To both')
  for (const phone of [ada, bea, tablet]) await sync(phone.core)
  assert.ok((await bea.texts(id)).includes('To both'))
  assert.deepEqual(await tablet.texts(id), ['(rejoined)', 'To both'])
  assert.ok((await ada.texts(id)).includes('(joined-device)'))
  await tablet.tell(id, 'From the tablet')
  for (const phone of [ada, bea]) await sync(phone.core)
  const own = (await bea.lines(id)).find(({ content }) => content.kind === 'text' && content.text === 'From the tablet')
  assert.equal(own?.mine, true)
  assert.ok((await ada.texts(id)).includes('From the tablet'))
})

test('a device that was removed hears nothing more, and wipes itself', async () => {
  const { cell, ada, bea, id } = await two()
  const tablet = await new Phone(cell, bea.person).begin()
  for (const phone of [ada, bea]) await sync(phone.core)
  const { deviceId } = await tablet.core.self()
  await bea.core.cell.removeDevice(deviceId)
  // Ada's browser asks the directory anew: that is what five minutes do.
  const later = ada.restarted(cell)
  await later.tell(id, 'Not for the tablet')
  const { group } = (await later.core.group(id))!
  const { membersOf } = await import('../mls/group.ts')
  assert.ok(!membersOf(group).some((member) => member.deviceId === deviceId))
  await sync(bea.core)
  assert.ok((await bea.texts(id)).includes('Not for the tablet'))
  assert.equal(await isStillOurs(tablet.core), false)
  assert.deepEqual(await tablet.lines(id), [])
})

test('a recalled message is gone from the cell, and from who had it', async () => {
  const { cell, ada, bea, id } = await two()
  await ada.tell(id, 'Fetched')
  await sync(bea.core)
  await ada.tell(id, 'Not fetched')
  for (const line of await ada.lines(id)) await recall(ada.core, id, line.id)
  assert.ok([...cell.devices.values()].every((kept) => kept.inbox.length <= 2))
  await sync(bea.core)
  assert.deepEqual(await bea.texts(id), ['(recalled)'])
  assert.deepEqual(await ada.texts(id), ['(recalled)', '(recalled)'])
  assert.equal((await bea.lines(id))[0]?.proof, undefined)
})

test('nobody recalls what another said', async () => {
  const { ada, bea, id } = await two()
  await ada.tell(id, 'Mine')
  await sync(bea.core)
  const [line] = await bea.lines(id)
  await say(bea.core, id, { kind: 'recall', target: line!.id })
  await flush(bea.core)
  await sync(ada.core)
  assert.deepEqual(await ada.texts(id), ['Mine'])
})

test('a device that missed a commit comes back by itself', async () => {
  const { cell, ada, bea, id } = await two()
  const tablet = await new Phone(cell, ada.person).begin()
  // Thirty days went by: the envelope with the commit is no longer there.
  for (const kept of cell.devices.values()) if (kept.personId === bea.person.person_id) kept.inbox = []
  await tablet.tell(id, 'Where is Bea?')
  await sync(bea.core)
  await sync(bea.core)
  await sync(tablet.core)
  await tablet.tell(id, 'There she is')
  await sync(bea.core)
  assert.ok((await bea.texts(id)).includes('There she is'))
})

test('a device that is not in the log is not taken in', async () => {
  const cell = new FakeCell()
  const wrong = new Set<string>()
  const ada = await new Phone(cell, cell.person('ada'), async (_person, device) => !wrong.has(device.id)).begin()
  const bea = await new Phone(cell, cell.person('bea')).begin()
  const id = await open(ada.core, 'pair', ['bea'])
  await sync(bea.core)
  const spy = new Phone(cell, bea.person)
  const { person_id, ...rest } = bea.person
  cell.after = (name, who) => {
    if (name === 'addDevice' && who === person_id) for (const each of cell.devices.keys()) if (![...wrong].includes(each)) wrong.add(each)
  }
  const known = [...cell.devices.keys()]
  await begin(spy.core, { id: person_id, ...rest }, 'spy')
  for (const each of known) wrong.delete(each)
  await sync(ada.core)
  assert.equal((await ada.conversation(id)).trouble, 'untrusted')
  await ada.tell(id, 'A secret')
  await sync(spy.core)
  assert.ok(!(await spy.texts(id)).includes('A secret'))
})

test('key packages are filled up again, and the last one stays', async () => {
  const { cell, ada, bea } = await two()
  const kept = [...cell.devices.values()].find((each) => each.personId === bea.person.person_id)!
  kept.packages.length = 0
  const carl = await new Phone(cell, cell.person('carl')).begin()
  const first = await open(carl.core, 'pair', ['bea'])
  await sync(bea.core)
  await carl.tell(first, 'By the last resort')
  await sync(bea.core)
  assert.deepEqual(await bea.texts(first), ['By the last resort'])
  await stock(bea.core)
  assert.equal(kept.packages.length, 40)
  assert.ok(ada)
})

test('garbage in the inbox does not stop what comes after it', async () => {
  const { cell, ada, bea, id } = await two()
  const kept = [...cell.devices.values()].find((each) => each.personId === bea.person.person_id)!
  for (const body of [btoa('garbage'), '', btoa(String.fromCharCode(...toUtf8('\0\x01\0\x02and more')))]) {
    for (const kind of ['message', 'commit', 'welcome'] as const) kept.inbox.push({ n: ++kept.n, conversation_id: id, kind, epoch: 1, body, at: new Date().toISOString(), message_id: crypto.randomUUID() })
  }
  await ada.tell(id, 'Still readable')
  await sync(bea.core)
  assert.ok((await bea.texts(id)).includes('Still readable'))
})

test('a device that ends leaves nothing behind', async () => {
  const { bea, id } = await two()
  await end(bea.core)
  assert.deepEqual(await bea.lines(id), [])
  await assert.rejects(bea.core.self())
})
