/** The copy that a recovery code opens, files, and marks. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8, toUtf8 } from '../../verify/bytes.ts'
import { verifyWithLabel } from 'ts-mls/crypto/signature.js'
import { suite } from '../mls/suite.ts'
import { open } from './changes.ts'
import { bytesOf, type ReportItem } from './cell.ts'
import { restoreCopy, saveCopyIfDue, startCopy, stopCopy, WrongCode } from './copy.ts'
import { Core } from './core.ts'
import { attach, fetchFile } from './files.ts'
import { thread } from './list.ts'
import { hearSignal, sendSignal } from './marks.ts'
import { flush, say } from './outbox.ts'
import { report, safetyWith, setCompared } from './safety.ts'
import { begin } from './setup.ts'
import { MemoryStore } from './store.ts'
import { sync } from './sync.ts'
import { FakeCell } from './testing/fake-cell.ts'
import { oneAtATime } from './testing/phone.ts'

async function phone(cell: FakeCell, person: ReturnType<FakeCell['person']>, now?: () => number): Promise<Core> {
  const core = new Core({ store: new MemoryStore(), cell: cell.as(person.person_id), lock: oneAtATime(), changed: () => undefined, ...(now ? { now } : {}) })
  await begin(core, { id: person.person_id, ...person }, 'phone')
  return core
}

async function two() {
  const cell = new FakeCell()
  const [a, b] = [cell.person('ada'), cell.person('bea')]
  const [ada, bea] = [await phone(cell, a), await phone(cell, b)]
  const id = await open(ada, 'pair', ['bea'])
  await sync(bea)
  return { cell, a, b, ada, bea, id }
}

async function tell(core: Core, id: string, text: string): Promise<void> {
  await say(core, id, { kind: 'text', text })
  await flush(core)
}

const texts = async (core: Core, id: string) => (await thread(core, id)).flatMap(({ content }) => (content.kind === 'text' ? [content.text] : []))

test('the recovery code brings the history back on a new device, in its order', async () => {
  const { cell, b, ada, bea, id } = await two()
  for (const text of ['One', 'Two']) await tell(ada, id, text)
  await sync(bea)
  await tell(bea, id, 'Three')
  await sync(bea)
  const code = await startCopy(bea)
  assert.ok(!Buffer.from(cell.copy!).includes('Two'))
  const fresh = await phone(cell, b)
  await assert.rejects(restoreCopy(fresh, code.replace(/^../, (two) => (two === '00' ? '11' : '00'))), WrongCode)
  assert.equal(await restoreCopy(fresh, code.toLowerCase()), 3)
  assert.deepEqual(await texts(fresh, id), ['One', 'Two', 'Three'])
  await sync(ada)
  await tell(ada, id, 'Four')
  await sync(fresh)
  assert.deepEqual(await texts(fresh, id), ['One', 'Two', 'Three', 'Four'])
  assert.equal((await thread(fresh, id)).find(({ content }) => content.kind === 'text' && content.text === 'Three')?.mine, true)
})

test('the copy follows the news, and ends when it is ended', async () => {
  const { cell, ada, bea, id } = await two()
  await startCopy(bea)
  const first = cell.copy
  await saveCopyIfDue(bea)
  assert.equal(cell.copy, first)
  await tell(ada, id, 'News')
  await sync(bea)
  const kept = await bea.store.get('copyKey', 'only')
  await bea.store.write([['copyKey', 'only', { ...kept!, savedAt: 1 }]])
  await saveCopyIfDue(bea)
  assert.notEqual(cell.copy, first)
  await stopCopy(bea)
  assert.equal(cell.copy, null)
  const gone = cell.copy
  await saveCopyIfDue(bea)
  assert.equal(cell.copy, gone)
})

test('a file is sealed at the cell and whole at the other end', async () => {
  const { cell, ada, bea, id } = await two()
  const bytes = toUtf8('a picture of a firefly'.repeat(100))
  const file = await attach(ada, id, bytes, 'image/jpeg')
  await say(ada, id, { kind: 'photo', file, width: 10, height: 10 })
  await flush(ada)
  await sync(bea)
  const content = (await thread(bea, id)).find((line) => line.content.kind === 'photo')!.content
  assert.ok(content.kind === 'photo')
  assert.ok(!Buffer.from(cell.files.get(file.id)!).includes('firefly'))
  const got = await fetchFile(bea, content.file)
  assert.equal(fromUtf8(new Uint8Array(await got!.arrayBuffer())), fromUtf8(bytes))
  cell.files.clear()
  assert.equal((await fetchFile(bea, content.file))!.size, bytes.length)
  assert.equal(await fetchFile(bea, { ...content.file, id: crypto.randomUUID() }), null)
})

test('typing is heard by the other, and read marks are kept', async () => {
  const { cell, a, ada, bea, id } = await two()
  const heard: string[] = []
  const own = ada.cell as { signal: unknown }
  own.signal = async (_id: string, _device: string, body: Uint8Array) => void heard.push(Buffer.from(body).toString('base64'))
  await sendSignal(ada, id, { kind: 'typing', isOn: true })
  assert.deepEqual(await hearSignal(bea, id, heard[0]!), { personId: a.person_id, isTyping: true })
  assert.equal(await hearSignal(ada, id, heard[0]!), null)
  const read = crypto.randomUUID()
  await sendSignal(ada, id, { kind: 'read', id: read })
  assert.equal(await hearSignal(bea, id, heard[1]!), null)
  assert.deepEqual((await bea.conversation(id))?.readBy, { [a.person_id]: read })
  assert.equal(await hearSignal(bea, id, btoa('nonsense that is long enough')), null)
  assert.ok(cell)
})

test('both see the same safety number, until a device is added', async () => {
  const { cell, a, b, ada, bea, id } = await two()
  const [left, right] = [await safetyWith(ada, id, b.person_id, null), await safetyWith(bea, id, a.person_id, null)]
  assert.equal(left?.number, right?.number)
  assert.equal(left?.devices.length, 2)
  await setCompared(ada, id, left!.number)
  await phone(cell, b)
  await sync(ada)
  assert.equal((await ada.conversation(id))?.compared, null)
  assert.notEqual((await safetyWith(ada, id, b.person_id, null))?.number, left?.number)
})

test('a report holds what was chosen, as it was signed', async () => {
  const { ada, bea, id } = await two()
  await tell(ada, id, 'Rude')
  await tell(ada, id, 'Private')
  await sync(bea)
  const lines = await thread(bea, id)
  let sent: ReportItem[] = []
  ;(bea.cell as { report: unknown }).report = async (what: { items: ReportItem[] }) => void (sent = what.items)
  await report(bea, id, 'harassment', [lines[0]!.id])
  assert.equal(sent.length, 1)
  const [item] = sent as [ReportItem]
  assert.equal(item.device_id, (await ada.self()).deviceId)
  assert.ok(atob(item.content).includes('Rude') && !atob(item.content).includes('Private'))
  const key = (await ada.self()).signing.publicKey
  assert.ok(await verifyWithLabel(key, 'FramedContentTBS', bytesOf(item.content), bytesOf(item.signature), (await suite()).signature))
})

test('with a cell that was put back and knows no conversations, the two begin anew', async () => {
  const { cell, ada, bea, id } = await two()
  await tell(ada, id, 'Before')
  await sync(bea)
  cell.groups.clear()
  await sync(ada)
  assert.equal((await ada.conversation(id))?.isOver, true)
  const anew = await open(ada, 'pair', ['bea'])
  assert.notEqual(anew, id)
  await tell(ada, anew, 'After')
  await sync(bea)
  assert.deepEqual(await texts(bea, anew), ['After'])
  assert.deepEqual(await texts(bea, id), ['Before'])
})
