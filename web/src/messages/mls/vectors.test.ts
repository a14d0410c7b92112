/** RFC 9420: the vectors of the working group (tests/vectors/mls/README.md), against the library as it is installed. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  bytesToBase64, decodeMlsMessage, joinGroup, makePskIndex, mlsExporter, processMessage, acceptAll, type MlsPrivateMessage, type MlsPublicMessage,
} from 'ts-mls'
import { decodeAuthenticatedContent } from 'ts-mls/authenticatedContent.js'
import { decodeCommit, encodeCommit } from 'ts-mls/commit.js'
import { refhash } from 'ts-mls/crypto/hash.js'
import { decryptWithLabel, encryptWithLabel } from 'ts-mls/crypto/hpke.js'
import { deriveSecret, deriveTreeSecret, expandWithLabel } from 'ts-mls/crypto/kdf.js'
import { signWithLabel, verifyWithLabel } from 'ts-mls/crypto/signature.js'
import { defaultCapabilities } from 'ts-mls/defaultCapabilities.js'
import { encodeGroupContext, type GroupContext } from 'ts-mls/groupContext.js'
import { verifyGroupInfoConfirmationTag, verifyGroupInfoSignature } from 'ts-mls/groupInfo.js'
import { makeKeyPackageRef } from 'ts-mls/keyPackage.js'
import { defaultKeyRetentionConfig } from 'ts-mls/keyRetentionConfig.js'
import { initializeEpoch } from 'ts-mls/keySchedule.js'
import { verifyLeafNodeSignature } from 'ts-mls/leafNode.js'
import { unprotectPrivateMessage } from 'ts-mls/messageProtection.js'
import { unprotectPublicMessage } from 'ts-mls/messageProtectionPublic.js'
import { verifyParentHashes } from 'ts-mls/parentHash.js'
import { encodeProposal } from 'ts-mls/proposal.js'
import { decodeRatchetTree, type RatchetTree, resolution } from 'ts-mls/ratchetTree.js'
import { createSecretTree, deriveKey, deriveNonce, ratchetUntil } from 'ts-mls/secretTree.js'
import { expandSenderDataKey, expandSenderDataNonce } from 'ts-mls/sender.js'
import { createConfirmedHash, createInterimHash } from 'ts-mls/transcriptHash.js'
import { treeHash } from 'ts-mls/treeHash.js'
import { leafToNodeIndex, nodeToLeafIndex, toLeafIndex, toNodeIndex } from 'ts-mls/treemath.js'
import { decryptGroupInfo, decryptGroupSecrets } from 'ts-mls/welcome.js'
import { fromHex, toHex } from '../../verify/bytes.ts'
import { suite, SUITE } from './suite.ts'
import { readKeyPackage, readWelcome } from './wire.ts'

const HOME = new URL('../../../../tests/vectors/mls/', import.meta.url)
// The vectors are what JSON says they are; each test reads the fields that it names.
// biome-ignore lint: shapes are those of test-vectors.md
type Vector = any
const read = (name: string): Vector => JSON.parse(readFileSync(new URL(`${name}.json`, HOME), 'utf8'))
const impl = await suite()

function same(found: Uint8Array | null | undefined, expected: string): void {
  assert.equal(found && toHex(found), expected)
}

test('crypto-basics', async () => {
  const { ref_hash, expand_with_label, derive_secret, derive_tree_secret, sign_with_label, encrypt_with_label } = read('crypto-basics')
  same(await refhash(ref_hash.label, fromHex(ref_hash.value), impl.hash), ref_hash.out)
  const expand = expand_with_label
  same(await expandWithLabel(fromHex(expand.secret), expand.label, fromHex(expand.context), expand.length, impl.kdf), expand.out)
  same(await deriveSecret(fromHex(derive_secret.secret), derive_secret.label, impl.kdf), derive_secret.out)
  const tree = derive_tree_secret
  same(await deriveTreeSecret(fromHex(tree.secret), tree.label, tree.generation, tree.length, impl.kdf), tree.out)
  const sign = sign_with_label
  const isGood = (signature: Uint8Array) => verifyWithLabel(fromHex(sign.pub), sign.label, fromHex(sign.content), signature, impl.signature)
  assert.equal(await isGood(fromHex(sign.signature)), true)
  same(await signWithLabel(fromHex(sign.priv), sign.label, fromHex(sign.content), impl.signature), sign.signature)
  const sealed = encrypt_with_label
  const key = await impl.hpke.importPrivateKey(fromHex(sealed.priv))
  const [label, context] = [sealed.label, fromHex(sealed.context)]
  same(await decryptWithLabel(key, label, context, fromHex(sealed.kem_output), fromHex(sealed.ciphertext), impl.hpke), sealed.plaintext)
  const again = await encryptWithLabel(await impl.hpke.importPublicKey(fromHex(sealed.pub)), label, context, fromHex(sealed.plaintext), impl.hpke)
  same(await decryptWithLabel(key, label, context, again.enc, again.ct, impl.hpke), sealed.plaintext)
})

test('key-schedule', async () => {
  const { group_id, initial_init_secret, epochs } = read('key-schedule')
  let initSecret: Uint8Array = fromHex(initial_init_secret)
  for (const [at, epoch] of epochs.entries()) {
    const context: GroupContext = {
      version: 'mls10', cipherSuite: SUITE, groupId: fromHex(group_id), epoch: BigInt(at), treeHash: fromHex(epoch.tree_hash),
      confirmedTranscriptHash: fromHex(epoch.confirmed_transcript_hash), extensions: [],
    }
    same(encodeGroupContext(context), epoch.group_context)
    const made = await initializeEpoch(initSecret, fromHex(epoch.commit_secret), context, fromHex(epoch.psk_secret), impl.kdf)
    same(made.joinerSecret, epoch.joiner_secret)
    same(made.welcomeSecret, epoch.welcome_secret)
    same(made.encryptionSecret, epoch.encryption_secret)
    same(made.keySchedule.initSecret, epoch.init_secret)
    same(made.keySchedule.senderDataSecret, epoch.sender_data_secret)
    same(made.keySchedule.exporterSecret, epoch.exporter_secret)
    same(made.keySchedule.externalSecret, epoch.external_secret)
    same(made.keySchedule.confirmationKey, epoch.confirmation_key)
    same(made.keySchedule.membershipKey, epoch.membership_key)
    same(made.keySchedule.resumptionPsk, epoch.resumption_psk)
    same(made.keySchedule.epochAuthenticator, epoch.epoch_authenticator)
    const pair = await impl.hpke.deriveKeyPair(fromHex(epoch.external_secret))
    same(await impl.hpke.exportPublicKey(pair.publicKey), epoch.external_pub)
    const { label, context: about, length, secret } = epoch.exporter
    same(await mlsExporter(made.keySchedule.exporterSecret, label, fromHex(about), length, impl), secret)
    initSecret = made.keySchedule.initSecret
  }
})

test('secret-tree', async () => {
  for (const { encryption_secret, sender_data, leaves } of read('secret-tree')) {
    const [secret, ciphertext] = [fromHex(sender_data.sender_data_secret), fromHex(sender_data.ciphertext)]
    same(await expandSenderDataKey(impl, secret, ciphertext), sender_data.key)
    same(await expandSenderDataNonce(impl, secret, ciphertext), sender_data.nonce)
    const tree = await createSecretTree(leaves.length, fromHex(encryption_secret), impl.kdf)
    for (const [at, generations] of leaves.entries()) {
      const node = tree[leafToNodeIndex(toLeafIndex(at))]!
      for (const generation of generations) {
        for (const ratchet of ['handshake', 'application'] as const) {
          const [reached] = await ratchetUntil(node[ratchet], generation.generation, defaultKeyRetentionConfig, impl.kdf)
          same(await deriveKey(reached.secret, reached.generation, impl), generation[`${ratchet}_key`])
          same(await deriveNonce(reached.secret, reached.generation, impl), generation[`${ratchet}_nonce`])
        }
      }
    }
  }
})

test('message-protection', async () => {
  const told = read('message-protection')
  const context: GroupContext = {
    version: 'mls10', cipherSuite: SUITE, groupId: fromHex(told.group_id), epoch: BigInt(told.epoch), treeHash: fromHex(told.tree_hash),
    confirmedTranscriptHash: fromHex(told.confirmed_transcript_hash), extensions: [],
  }
  const none = new Uint8Array()
  // The sender is leaf 1, which must be somebody's.
  const leaf = {
    leafNodeSource: 'commit' as const, hpkePublicKey: none, signaturePublicKey: none, capabilities: defaultCapabilities(), parentHash: none,
    extensions: [], signature: none, credential: { credentialType: 'basic' as const, identity: none },
  }
  const tree: RatchetTree = [undefined, undefined, { nodeType: 'leaf', leaf }]
  const key = fromHex(told.signature_pub)
  const inside = async (name: string) => {
    const message = decodeMlsMessage(fromHex(told[name]), 0)![0]
    if (message.wireformat === 'mls_public_message') {
      return (await unprotectPublicMessage(fromHex(told.membership_key), context, tree, message.publicMessage, impl, key)).content
    }
    assert.ok(message.wireformat === 'mls_private_message')
    const secrets = await createSecretTree(2, fromHex(told.encryption_secret), impl.kdf)
    const senders = fromHex(told.sender_data_secret)
    return (await unprotectPrivateMessage(senders, message.privateMessage, secrets, tree, context, defaultKeyRetentionConfig, impl, key)).content.content
  }
  for (const name of ['proposal_pub', 'proposal_priv']) {
    const content = await inside(name)
    same(content.contentType === 'proposal' ? encodeProposal(content.proposal) : null, told.proposal)
  }
  for (const name of ['commit_pub', 'commit_priv']) {
    const content = await inside(name)
    same(content.contentType === 'commit' ? encodeCommit(content.commit) : null, told.commit)
  }
  same(encodeCommit(decodeCommit(fromHex(told.commit), 0)![0]), told.commit)
  const content = await inside('application_priv')
  same(content.contentType === 'application' ? content.applicationData : null, told.application)
})

test('transcript-hashes', async () => {
  const told = read('transcript-hashes')
  const { wireformat, content, auth } = decodeAuthenticatedContent(fromHex(told.authenticated_content), 0)![0]
  assert.ok(content.contentType === 'commit' && auth.contentType === 'commit')
  const confirmed = fromHex(told.confirmed_transcript_hash_after)
  assert.equal(await impl.hash.verifyMac(fromHex(told.confirmation_key), auth.confirmationTag, confirmed), true)
  const before = fromHex(told.interim_transcript_hash_before)
  same(await createConfirmedHash(before, { wireformat, content, signature: auth.signature }, impl.hash), told.confirmed_transcript_hash_after)
  same(await createInterimHash(confirmed, auth.confirmationTag, impl.hash), told.interim_transcript_hash_after)
})

test('tree-validation', async () => {
  for (const told of read('tree-validation')) {
    const tree = decodeRatchetTree(fromHex(told.tree), 0)![0]
    for (const [at, hash] of told.tree_hashes.entries()) same(await treeHash(tree, toNodeIndex(at), impl.hash), hash)
    for (const [at, nodes] of told.resolutions.entries()) assert.deepEqual(resolution(tree, toNodeIndex(at)), nodes)
    assert.equal(await verifyParentHashes(tree, impl.hash), true)
    for (const [at, node] of tree.entries()) {
      if (node?.nodeType !== 'leaf') continue
      assert.equal(await verifyLeafNodeSignature(node.leaf, fromHex(told.group_id), nodeToLeafIndex(toNodeIndex(at)), impl.signature), true)
    }
  }
})

test('welcome', async () => {
  const told = read('welcome')
  const welcome = readWelcome(fromHex(told.welcome))
  const ref = await makeKeyPackageRef(readKeyPackage(fromHex(told.key_package)), impl.hash)
  assert.ok(welcome.secrets.some(({ newMember }) => toHex(newMember) === toHex(ref)))
  const secrets = await decryptGroupSecrets(await impl.hpke.importPrivateKey(fromHex(told.init_priv)), ref, welcome, impl.hpke)
  assert.ok(secrets)
  const psk = new Uint8Array(impl.kdf.size)
  const info = await decryptGroupInfo(welcome, secrets.joinerSecret, psk, impl)
  assert.ok(info)
  assert.equal(await verifyGroupInfoConfirmationTag(info, secrets.joinerSecret, psk, impl), true)
  assert.equal(await verifyGroupInfoSignature(info, fromHex(told.signer_pub), impl.signature), true)
})

for (const name of ['passive-client-welcome', 'passive-client-handling-commit']) {
  for (const [at, told] of read(name).entries()) test(`${name} ${at}`, () => follow(told))
}

/** Joins as the vector says and goes along: each epoch's authenticator shows that all secrets agree. */
async function follow(told: Vector): Promise<void> {
  const psks = Object.fromEntries(told.external_psks.map((each: Vector) => [bytesToBase64(fromHex(each.psk_id)), fromHex(each.psk)]))
  const keys = { hpkePrivateKey: fromHex(told.encryption_priv), initPrivateKey: fromHex(told.init_priv), signaturePrivateKey: fromHex(told.signature_priv) }
  const tree = told.ratchet_tree === null ? undefined : decodeRatchetTree(fromHex(told.ratchet_tree), 0)![0]
  const keyPackage = readKeyPackage(fromHex(told.key_package))
  let state = await joinGroup(readWelcome(fromHex(told.welcome)), keyPackage, keys, makePskIndex(undefined, psks), impl, tree)
  same(state.keySchedule.epochAuthenticator, told.initial_epoch_authenticator)
  for (const epoch of told.epochs) {
    for (const bytes of [...epoch.proposals, epoch.commit]) {
      const message = decodeMlsMessage(fromHex(bytes), 0)![0] as MlsPrivateMessage | MlsPublicMessage & { version: 'mls10' }
      state = (await processMessage(message, state, makePskIndex(state, psks), acceptAll, impl)).newState
    }
    same(state.keySchedule.epochAuthenticator, epoch.epoch_authenticator)
  }
}
