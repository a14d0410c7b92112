/** Groups of our devices: sending, receiving, joining, and what is refused. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifyWithLabel } from 'ts-mls/crypto/signature.js'
import { isEqual, toUtf8, fromUtf8 } from '../../verify/bytes.ts'
import { change, epochOf, type Group, groupInfoOf, join, joinAgain, keep, membersOf, newGroup, PADDING_STEP, receive, Refused, restore, seal, welcomed } from './group.ts'
import { type Device, deviceOf, newPackage, type OwnPackage } from './packages.ts'
import { newSigningKey, suite } from './suite.ts'

const NOW = Date.now()
const anybody = async () => true

async function device(personId: string = crypto.randomUUID()): Promise<Device> {
  return deviceOf({ personId, deviceId: crypto.randomUUID() }, await newSigningKey())
}

async function pair(vouch = anybody) {
  const [ada, bea] = [await device(), await device()]
  const own = await newPackage(bea, NOW)
  const alone = await newGroup(ada, await newPackage(ada, NOW), vouch)
  const made = await change(alone, ada, [own.bytes], [])
  assert.ok(made.welcome)
  return { ada, bea, adas: made.group, beas: await join(made.welcome, own, bea, vouch), made, own }
}

async function tell(group: Group, from: Device, words: string) {
  return seal(group, from, toUtf8(words))
}

test('two devices talk both ways', async () => {
  let { ada, bea, adas, beas } = await pair()
  for (const words of ['Hello', 'Second', 'Trois']) {
    const sent = await tell(adas, ada, words)
    const got = await receive(beas, sent.body)
    assert.equal(got.kind, 'message')
    if (got.kind !== 'message') return
    assert.equal(fromUtf8(got.data), words)
    assert.equal(got.from.personId, ada.personId)
    assert.equal(got.from.deviceId, ada.deviceId)
    ;[adas, beas] = [sent.group, got.group]
  }
  const back = await receive(adas, (await tell(beas, bea, 'And back')).body)
  assert.equal(back.kind === 'message' && fromUtf8(back.data), 'And back')
})

test('a group survives being kept as bytes', async () => {
  const { ada, adas, beas } = await pair()
  const sent = await tell(restore(keep(adas), anybody), ada, 'After a restart')
  const got = await receive(restore(keep(beas), anybody), sent.body)
  assert.equal(got.kind === 'message' && fromUtf8(got.data), 'After a restart')
})

test('the signing key cannot be read out', async () => {
  const { ada, adas } = await pair()
  assert.ok(isEqual(adas.signaturePrivateKey, ada.publicKey))
  const key = await newSigningKey()
  await assert.rejects(crypto.subtle.exportKey('pkcs8', key.privateKey))
})

test('lengths are told in steps only', async () => {
  const { ada, adas } = await pair()
  const lengths = await Promise.all([1, 2, 40, 150, 400, 410].map(async (size) => (await tell(adas, ada, 'x'.repeat(size))).body.length))
  assert.equal(new Set(lengths.slice(0, 4)).size, 1)
  assert.equal(lengths[4], lengths[5])
  assert.equal((lengths[4] ?? 0) - (lengths[0] ?? 0), PADDING_STEP)
})

test('a message opens once', async () => {
  const { ada, adas, beas } = await pair()
  const { body } = await tell(adas, ada, 'Once')
  const got = await receive(beas, body)
  await assert.rejects(receive(got.group, body))
})

test('a changed byte is refused, and the group goes on', async () => {
  const { ada, adas, beas } = await pair()
  const sent = await tell(adas, ada, 'Whole')
  for (const at of [4, 30, sent.body.length - 1]) {
    const broken = sent.body.slice()
    broken[at] = broken[at]! ^ 1
    await assert.rejects(receive(beas, broken))
  }
  assert.equal((await receive(beas, sent.body)).kind, 'message')
})

test('messages of an earlier epoch still open, in any order', async () => {
  const { ada, adas, beas } = await pair()
  const first = await tell(adas, ada, 'First')
  const second = await tell(first.group, ada, 'Second')
  const renewed = await change(second.group, ada, [], [])
  let group = (await receive(beas, renewed.commit)).group
  for (const { body } of [second, first]) {
    const got = await receive(group, body)
    assert.equal(got.kind === 'message' && got.from.personId, ada.personId)
    group = got.group
  }
})

test('a proof can be checked by a third, and only as it was signed', async () => {
  const { ada, adas, beas } = await pair()
  const got = await receive(beas, (await tell(adas, ada, 'I said it')).body)
  assert.ok(got.kind === 'message')
  const { content, signature } = got.proof
  const checks = async (bytes: Uint8Array) => verifyWithLabel(ada.publicKey, 'FramedContentTBS', bytes, signature, (await suite()).signature)
  assert.equal(await checks(content), true)
  assert.ok(Buffer.from(content).includes('I said it'))
  const other = content.slice()
  other[other.length - 1] = other[other.length - 1]! ^ 1
  assert.equal(await checks(other), false)
})

test('a second device joins by itself, and everybody sees that it did', async () => {
  const { ada, bea, adas, beas } = await pair()
  const second = await device(bea.personId)
  const joined = await joinAgain(await groupInfoOf(adas, ada), await newPackage(second, NOW), second, anybody)
  const [atAda, atBea] = [await receive(adas, joined.commit), await receive(beas, joined.commit)]
  assert.ok(atAda.kind === 'commit' && atBea.kind === 'commit')
  assert.deepEqual(atAda.joined.map((member) => member.deviceId), [second.deviceId])
  assert.equal(atAda.by.personId, bea.personId)
  assert.equal(membersOf(atBea.group).length, 3)
  const sent = await tell(atAda.group, ada, 'To both')
  for (const group of [joined.group, atBea.group]) {
    const got = await receive(group, sent.body)
    assert.equal(got.kind === 'message' && fromUtf8(got.data), 'To both')
  }
})

test('a device that lost its state comes back in its own place', async () => {
  const { ada, bea, adas } = await pair()
  const again = await joinAgain(await groupInfoOf(adas, ada), await newPackage(bea, NOW), bea, anybody)
  const got = await receive(adas, again.commit)
  assert.ok(got.kind === 'commit')
  assert.equal(membersOf(got.group).length, 2)
  const back = await receive(again.group, (await tell(got.group, ada, 'Welcome back')).body)
  assert.equal(back.kind === 'message' && fromUtf8(back.data), 'Welcome back')
})

test('a stranger does not join by themselves', async () => {
  const { ada, adas, beas } = await pair()
  const mallory = await device()
  const info = await groupInfoOf(adas, ada)
  await assert.rejects(joinAgain(info, await newPackage(mallory, NOW), mallory, anybody), Refused)
  // One who leaves that check out is refused by the others.
  const { joinGroupExternal } = await import('ts-mls')
  const { opened } = await import('./packages.ts')
  const { readGroupInfo, writeMessage } = await import('./wire.ts')
  const forced = await joinGroupExternal(readGroupInfo(info), ...opened(await newPackage(mallory, NOW), mallory), false, mallory.suite)
  const commit = writeMessage({ version: 'mls10', wireformat: 'mls_public_message', publicMessage: forced.publicMessage })
  await assert.rejects(receive(beas, commit), Refused)
  assert.equal(epochOf(beas), 1)
})

test('a key that the directory does not vouch for is refused', async () => {
  const { ada, bea, adas } = await pair()
  const known = new Set([ada.deviceId, bea.deviceId])
  const vouch = async (identity: { deviceId: string }) => known.has(identity.deviceId)
  const careful = restore(keep(adas), vouch)
  const second = await device(bea.personId)
  const joined = await joinAgain(await groupInfoOf(adas, ada), await newPackage(second, NOW), second, anybody)
  await assert.rejects(receive(careful, joined.commit))
  known.add(second.deviceId)
  assert.equal((await receive(careful, joined.commit)).kind, 'commit')
  await assert.rejects(change(careful, ada, [(await newPackage(await device(), NOW)).bytes], []))
})

test('who is removed reads no more', async () => {
  const { ada, bea, adas, beas } = await pair()
  const leaf = membersOf(adas).find((member) => member.personId === bea.personId)!.leaf
  const removed = await change(adas, ada, [], [leaf])
  const seen = await receive(beas, removed.commit)
  assert.ok(seen.kind === 'commit')
  assert.deepEqual(seen.left.map((member) => member.personId), [bea.personId])
  await assert.rejects(receive(seen.group, (await tell(removed.group, ada, 'Without you')).body))
})

test('of two commits in one epoch the second can be made again', async () => {
  const { ada, bea, adas, beas } = await pair()
  const carl = await device()
  const first = await change(adas, ada, [], [])
  const lost = await change(beas, bea, [(await newPackage(carl, NOW)).bytes], [])
  await assert.rejects(receive(first.group, lost.commit))
  // The loser takes the winner's commit to the group that it kept, and tries again.
  const caughtUp = await receive(beas, first.commit)
  const own = await newPackage(carl, NOW)
  const again = await change(caughtUp.group, bea, [own.bytes], [])
  const at = await receive(first.group, again.commit)
  const carls = await join(again.welcome!, own, carl, anybody)
  const got = await receive(carls, (await tell(at.group, ada, 'All three')).body)
  assert.equal(got.kind === 'message' && fromUtf8(got.data), 'All three')
})

test('a welcome names the package that it is for', async () => {
  const { made, own } = await pair()
  const refs = new Map<string, OwnPackage>([[own.ref, own]])
  assert.equal(welcomed(made.welcome!, (ref) => refs.has(ref)), own.ref)
  assert.equal(welcomed(made.welcome!, () => false), null)
})

test('a group of thirty-two people with two devices each', async () => {
  const people = await Promise.all(Array.from({ length: 32 }, () => crypto.randomUUID()))
  const devices = await Promise.all(people.flatMap((person) => [device(person), device(person)]))
  const owns = await Promise.all(devices.slice(1).map((each) => newPackage(each, NOW)))
  const alone = await newGroup(devices[0]!, await newPackage(devices[0]!, NOW), anybody)
  const made = await change(alone, devices[0]!, owns.map((own) => own.bytes), [])
  const sizes = [made.welcome!.length, made.commit.length, made.groupInfo.length, keep(made.group).length]
  assert.ok(Math.max(...sizes) < 64 * 1024, sizes.join())
  const last = await join(made.welcome!, owns.at(-1)!, devices.at(-1)!, anybody)
  const got = await receive(last, (await tell(made.group, devices[0]!, 'Everybody')).body)
  assert.equal(got.kind === 'message' && fromUtf8(got.data), 'Everybody')
})
