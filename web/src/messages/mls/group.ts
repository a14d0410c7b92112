/**
 * A group as a value: each act gives a new one, and the old one stays what it was until the new one is kept. Nothing here knows
 * the network. The caller keeps the new state before it tells anybody of it, so that no key is used twice.
 */
import {
  type ClientConfig, type ClientState, type CreateCommitResult, createApplicationMessage, createCommit, createGroup as create,
  createGroupInfoWithExternalPubAndRatchetTree, decodeGroupState, defaultKeyPackageEqualityConfig, defaultPaddingConfig, encodeGroupState, type GroupState, joinGroup,
  joinGroupExternal, processMessage, type Proposal, zeroOutUint8Array, emptyPskIndex,
} from 'ts-mls'
import { demand, fromUtf8, isEqual, toHex } from '../../verify/bytes.ts'
import { type Identity, identityOf, type Member } from './identity.ts'
import { type Device, opened, type OwnPackage } from './packages.ts'
import { noting, type Seen, suite, SUITE } from './suite.ts'
import {
  readGroupInfo, readHandshakeOrMessage, readKeyPackage, readVector, readWelcome, vectorSize, writeGroupInfo, writeMessage, writeWelcome,
} from './wire.ts'

/** Says whether a signature key is that person's device's, as the directory has it. May throw where it cannot be asked. */
export type Vouch = (identity: Identity, key: Uint8Array) => Promise<boolean>

export type Group = ClientState

/** Messages of one length up to the next step look alike. */
export const PADDING_STEP = 256
const SIGNATURE_BYTES = 64
const KEPT_EPOCHS = 8
const FORWARD_STEPS = 2000

/** Something that came is not what the group may take; the group is as it was. */
export class Refused extends Error {}

function configOf(vouch: Vouch): ClientConfig {
  return {
    keyPackageEqualityConfig: defaultKeyPackageEqualityConfig,
    paddingConfig: defaultPaddingConfig,
    keyRetentionConfig: { retainKeysForGenerations: 64, retainKeysForEpochs: KEPT_EPOCHS, maximumForwardRatchetSteps: FORWARD_STEPS },
    lifetimeConfig: { maximumTotalLifetime: 86_400n * 100n, validateLifetimeOnReceive: false },
    authService: { validateCredential: async (credential, key) => vouch(identityOf(credential), key) },
  }
}

export async function newGroup(device: Device, own: OwnPackage, vouch: Vouch): Promise<Group> {
  const [keyPackage, privatePackage] = opened(own, device)
  return create(crypto.getRandomValues(new Uint8Array(32)), keyPackage, privatePackage, [], device.suite, configOf(vouch))
}

export function keep(group: Group): Uint8Array {
  const { clientConfig: _, ...state } = group
  return encodeGroupState(state)
}

export function restore(bytes: Uint8Array, vouch: Vouch): Group {
  const decoded = decodeGroupState(bytes, 0)
  demand(decoded !== undefined)
  return { ...(decoded[0] as GroupState), clientConfig: configOf(vouch) }
}

export const epochOf = (group: Group): number => Number(group.groupContext.epoch)
export const groupIdOf = (group: Group): string => toHex(group.groupContext.groupId)
export const isActive = (group: Group): boolean => group.groupActiveState.kind === 'active'
export const ownLeaf = (group: Group): number => group.privatePath.leafIndex

export function membersOf(group: Group): Member[] {
  return group.ratchetTree.flatMap((node, at) =>
    node?.nodeType === 'leaf' ? [{ leaf: at / 2, key: node.leaf.signaturePublicKey, ...identityOf(node.leaf.credential) }] : [],
  )
}

// Commits

export interface Changed {
  group: Group
  commit: Uint8Array
  welcome: Uint8Array | null
  groupInfo: Uint8Array
  /** Call when the new group is kept: the keys that are spent are overwritten. */
  forget: () => void
}

/** Adds the holders of key packages and removes leaves; with neither, it only renews this device's keys. */
export async function change(group: Group, device: Device, adds: Uint8Array[], removes: number[]): Promise<Changed> {
  const extraProposals: Proposal[] = [
    ...removes.map((removed) => ({ proposalType: 'remove' as const, remove: { removed } })),
    ...adds.map((bytes) => ({ proposalType: 'add' as const, add: { keyPackage: readKeyPackage(bytes) } })),
  ]
  const made: CreateCommitResult = await createCommit({ state: group, cipherSuite: device.suite }, { extraProposals, ratchetTreeExtension: true })
  return {
    group: made.newState,
    commit: writeMessage(made.commit),
    welcome: made.welcome ? writeWelcome(made.welcome) : null,
    groupInfo: await groupInfoOf(made.newState, device),
    forget: () => made.consumed.forEach(zeroOutUint8Array),
  }
}

/** What a new device of a member needs to join by itself. */
export async function groupInfoOf(group: Group, device: Device): Promise<Uint8Array> {
  return writeGroupInfo(await createGroupInfoWithExternalPubAndRatchetTree(group, [], device.suite))
}

// Joining

/** Which of our packages a welcome is for, by reference; null if it is for none. */
export function welcomed(welcome: Uint8Array, has: (ref: string) => boolean): string | null {
  return readWelcome(welcome).secrets.map((secret) => toHex(secret.newMember)).find(has) ?? null
}

export async function join(welcome: Uint8Array, own: OwnPackage, device: Device, vouch: Vouch): Promise<Group> {
  const [keyPackage, privatePackage] = opened(own, device)
  return joinGroup(readWelcome(welcome), keyPackage, privatePackage, emptyPskIndex, device.suite, undefined, undefined, configOf(vouch))
}

/** Joins a group of which the person is a member already, with a device that is not, or that has lost its state. */
export async function joinAgain(groupInfo: Uint8Array, own: OwnPackage, device: Device, vouch: Vouch): Promise<Changed> {
  const info = readGroupInfo(groupInfo)
  demand(info.groupContext.cipherSuite === SUITE)
  const [keyPackage, privatePackage] = opened(own, device)
  const tree = await treeOf(groupInfo)
  const isThere = tree.some((member) => isEqual(member.key, device.publicKey))
  const made = await joinGroupExternal(info, keyPackage, privatePackage, isThere, device.suite, undefined, configOf(vouch))
  if (!tree.some((member) => member.personId === device.personId)) throw new Refused('Nobody in the group is this person')
  return {
    group: made.newState,
    commit: writeMessage({ version: 'mls10', wireformat: 'mls_public_message', publicMessage: made.publicMessage }),
    welcome: null,
    groupInfo: await groupInfoOf(made.newState, device),
    forget: () => undefined,
  }
}

async function treeOf(groupInfo: Uint8Array): Promise<Member[]> {
  const { decodeRatchetTree } = await import('ts-mls/ratchetTree.js')
  const extension = readGroupInfo(groupInfo).extensions.find((each) => each.extensionType === 'ratchet_tree')
  demand(extension !== undefined)
  const tree = decodeRatchetTree(extension.extensionData, 0)
  demand(tree !== undefined)
  return membersOf({ ratchetTree: tree[0] } as Group)
}

// Messages

export async function seal(group: Group, device: Device, data: Uint8Array): Promise<{ group: Group; body: Uint8Array; forget: () => void }> {
  // RFC 9420, section 6.3.1: the content, its signature, then zeroes that count for nothing.
  const length = vectorSize(data.length) + vectorSize(SIGNATURE_BYTES)
  const paddingLength = (PADDING_STEP - (length % PADDING_STEP)) % PADDING_STEP
  const padded: Group = { ...group, clientConfig: { ...group.clientConfig, paddingConfig: { kind: 'alwaysPad', paddingLength } } }
  const made = await createApplicationMessage(padded, data, device.suite)
  return {
    group: { ...made.newState, clientConfig: group.clientConfig },
    body: writeMessage({ version: 'mls10', wireformat: 'mls_private_message', privateMessage: made.privateMessage }),
    forget: () => made.consumed.forEach(zeroOutUint8Array),
  }
}

/** Proof of who wrote a message, which can be shown to a third: FramedContentTBS and its signature (RFC 9420, section 6.1). */
export interface Proof {
  content: Uint8Array
  signature: Uint8Array
}

export type Received =
  | { kind: 'message'; group: Group; data: Uint8Array; from: Member; proof: Proof; forget: () => void }
  | { kind: 'commit'; group: Group; by: Member; joined: Member[]; left: Member[]; forget: () => void }

/** Opens what came. Throws Refused, Malformed or an error of the library; then the group is as it was. */
export async function receive(group: Group, body: Uint8Array): Promise<Received> {
  const message = readHandshakeOrMessage(body)
  const groupId = message.wireformat === 'mls_private_message' ? message.privateMessage.groupId : message.publicMessage.content.groupId
  if (!isEqual(groupId, group.groupContext.groupId)) throw new Refused('Of another group')
  const before = membersOf(group)
  const seen: Seen[] = []
  let committer: number | undefined
  const result = await processMessage(
    message, group, emptyPskIndex,
    (incoming) => {
      // Proposals come inside commits only: what stands alone is nothing that we send.
      if (incoming.kind === 'proposal') return 'reject'
      committer = incoming.senderLeafIndex
      return incoming.proposals.every(({ proposal }) => ALLOWED.has(proposal.proposalType)) ? 'accept' : 'reject'
    },
    noting(await suite(), seen),
  )
  const forget = () => result.consumed.forEach(zeroOutUint8Array)
  if (result.kind === 'applicationMessage') {
    // One signature is checked when a message is opened: its own.
    demand(seen.length === 1)
    const [{ publicKey, signed, signature }] = seen as [Seen]
    const from = sendersOf(group, message).find((member) => isEqual(member.key, publicKey))
    demand(from !== undefined)
    return { kind: 'message', group: result.newState, data: result.message, from, proof: { content: contentOf(signed), signature }, forget }
  }
  if (result.actionTaken === 'reject') throw new Refused('A proposal that we do not take')
  const after = membersOf(result.newState)
  const joined = after.filter((member) => !before.some((other) => isSame(member, other)))
  const left = before.filter((member) => !after.some((other) => isSame(member, other)))
  const by = committer === undefined ? newcomer(group, result.newState) : before.find((member) => member.leaf === committer)
  demand(by !== undefined)
  if (committer === undefined) {
    // Who joins without being asked may only be another device of somebody who is here, in nobody else's stead.
    if (!before.some((member) => member.personId === by.personId)) throw new Refused('A stranger joined by themselves')
    if (left.some((member) => member.personId !== by.personId)) throw new Refused('Somebody else was removed by who joined')
  }
  return { kind: 'commit', group: result.newState, by, joined, left, forget }
}

const ALLOWED = new Set<unknown>(['add', 'remove', 'update', 'external_init'])
const isSame = (one: Member, other: Member) => one.leaf === other.leaf && isEqual(one.key, other.key)

/** Who came in by an external commit: the one leaf whose encryption key is new, also where a device takes its own place again. */
function newcomer(before: Group, after: Group): Member | undefined {
  const keys = (group: Group) => group.ratchetTree.flatMap((node, at) => (node?.nodeType === 'leaf' ? [{ leaf: at / 2, key: node.leaf.hpkePublicKey }] : []))
  const old = keys(before)
  const fresh = keys(after).find(({ key }) => !old.some((other) => isEqual(key, other.key)))
  return membersOf(after).find((member) => member.leaf === fresh?.leaf)
}

/** Those who could have sent it: the members of its epoch, while we keep that. */
function sendersOf(group: Group, message: ReturnType<typeof readHandshakeOrMessage>): Member[] {
  if (message.wireformat !== 'mls_private_message') return []
  const { epoch } = message.privateMessage
  const old = group.historicalReceiverData.get(epoch)
  return membersOf(epoch < group.groupContext.epoch && old ? ({ ratchetTree: old.ratchetTree } as Group) : group)
}

const LABEL = 'MLS 1.0 FramedContentTBS'

/** The content of SignContent, where it was signed as framed content. */
function contentOf(signed: Uint8Array): Uint8Array {
  const [label, at] = readVector(signed, 0)
  demand(fromUtf8(label) === LABEL)
  const [content, end] = readVector(signed, at)
  demand(end === signed.length)
  return content
}
