// A server of the Fediverse made with Fedify, for the tests: one account, bob. What it hears is
// remembered; what it shall do is told to it at /control/, as JSON, answered with JSON.
//
// It prints its origin as its first line, and ends when its input ends.

import http from 'node:http'
import { createFederation, generateCryptoKeyPair, MemoryKvStore } from '@fedify/fedify'
import {
  Accept,
  Announce,
  Create,
  Delete,
  Endpoints,
  Follow,
  Like,
  Note,
  Person,
  PUBLIC_COLLECTION,
  Undo,
  Update,
} from '@fedify/vocab'

const OLD = 'draft-cavage-http-signatures-12'
const heard = []
const arrived = []
let refusesNew = false
let isOld = false

const keys = [
  await generateCryptoKeyPair('RSASSA-PKCS1-v1_5'),
  await generateCryptoKeyPair('Ed25519'),
]

function made(firstKnock) {
  const federation = createFederation({
    kv: new MemoryKvStore(),
    allowPrivateAddress: true,
    ...(firstKnock ? { firstKnock } : {}),
  })
  federation
    .setActorDispatcher('/users/{identifier}', async (context, identifier) => {
      if (identifier !== 'bob') return null
      const pairs = await context.getActorKeyPairs(identifier)
      return new Person({
        id: context.getActorUri(identifier),
        preferredUsername: identifier,
        name: 'Bob',
        inbox: context.getInboxUri(identifier),
        endpoints: new Endpoints({ sharedInbox: context.getInboxUri() }),
        publicKey: pairs[0].cryptographicKey,
        assertionMethods: pairs.map((pair) => pair.multikey),
      })
    })
    .setKeyPairsDispatcher((_, identifier) => (identifier === 'bob' ? keys : []))
  const remember = (kind) => async (context, activity) => {
    heard.push({ kind, document: await activity.toJsonLd({ contextLoader: context.contextLoader }) })
  }
  federation
    .setInboxListeners('/users/{identifier}/inbox', '/inbox')
    .on(Accept, remember('Accept'))
    .on(Create, remember('Create'))
    .on(Update, remember('Update'))
    .on(Delete, remember('Delete'))
  return federation
}

const federations = { new: made(), old: made(OLD) }
const federation = () => (isOld ? federations.old : federations.new)

const server = http.createServer(async (incoming, outgoing) => {
  const chunks = []
  for await (const chunk of incoming) chunks.push(chunk)
  const body = Buffer.concat(chunks)
  const url = new URL(incoming.url, `http://${incoming.headers.host}`)
  if (url.pathname.startsWith('/control/')) {
    try {
      const said = await control(url.pathname.slice(9), body.length ? JSON.parse(body) : {})
      outgoing.writeHead(200, { 'content-type': 'application/json' })
      outgoing.end(JSON.stringify(said))
    } catch (error) {
      outgoing.writeHead(500, { 'content-type': 'application/json' })
      outgoing.end(JSON.stringify({ error: String(error?.stack ?? error) }))
    }
    return
  }
  const isNew = 'signature-input' in incoming.headers
  if (incoming.method === 'POST') arrived.push(isNew ? 'rfc9421' : 'cavage')
  if (refusesNew && isNew) {
    outgoing.writeHead(401)
    outgoing.end()
    return
  }
  const request = new Request(url, {
    method: incoming.method,
    headers: incoming.headers,
    body: body.length ? body : undefined,
  })
  const answer = await federation().fetch(request, { contextData: undefined })
  outgoing.writeHead(answer.status, Object.fromEntries(answer.headers))
  outgoing.end(Buffer.from(await answer.arrayBuffer()))
})

async function control(what, said) {
  const context = federation().createContext(new URL(origin), undefined)
  const me = context.getActorUri('bob')
  const id = (name) => new URL(`${me.href}#${name}/${crypto.randomUUID()}`)
  const send = async (activity) => {
    const to = await context.lookupObject(said.to)
    if (to === null) throw new Error(`nobody at ${said.to}`)
    await context.sendActivity({ identifier: 'bob' }, to, activity)
    return { id: activity.id.href }
  }
  const follow = (name) =>
    new Follow({ id: new URL(name), actor: me, object: new URL(said.to) })
  switch (what) {
    case 'set':
      refusesNew = said.refusesNew ?? refusesNew
      isOld = said.isOld ?? isOld
      return {}
    case 'heard':
      return { heard: heard.splice(0), arrived: arrived.splice(0) }
    case 'look': {
      const found = await context.lookupObject(said.uri)
      return found === null ? null : await found.toJsonLd({ contextLoader: context.contextLoader })
    }
    case 'webfinger':
      return await context.lookupWebFinger(said.resource)
    case 'follow':
      return send(follow(id('follows').href))
    case 'unfollow':
      return send(new Undo({ id: id('undos'), actor: me, object: follow(said.id) }))
    case 'like':
      return send(new Like({ id: id('likes'), actor: me, object: new URL(said.object) }))
    case 'announce':
      return send(
        new Announce({
          id: id('announces'),
          actor: me,
          object: new URL(said.object),
          tos: [PUBLIC_COLLECTION],
        }),
      )
    case 'answer':
      return send(
        new Create({
          id: id('creates'),
          actor: me,
          tos: [PUBLIC_COLLECTION],
          object: new Note({
            id: id('notes'),
            attribution: me,
            content: said.content,
            replyTarget: new URL(said.object),
            tos: [PUBLIC_COLLECTION],
          }),
        }),
      )
    default:
      throw new Error(`what is ${what}?`)
  }
}

server.listen(0, '127.0.0.1')
await new Promise((resolve) => server.once('listening', resolve))
const origin = `http://127.0.0.1:${server.address().port}`
console.log(origin)
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
