/** The web client's side of bench/contacts.py: the code of its worker, over lines of JSON. */
import { createInterface } from 'node:readline'
import { among, bucketOf, handlesIn, headOf, isMember, membersOf, type Filter } from '../web/src/contacts/filter.ts'
import { Ristretto } from '../web/src/contacts/ristretto.ts'
import { Slow } from '../web/src/contacts/slow.ts'
import { Client } from '../web/src/contacts/voprf.ts'

const way = process.argv[2]
const un64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'))
const b64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const encoder = new TextEncoder()
let client: Client
let texts: string[] = []
let bytes: Uint8Array[] = []
let blinded: ReturnType<Client['blind']>
let values = new Map<string, Uint8Array>()
let filter: Filter
let matches: string[] = []
let buckets: number[] = []

function done(asked: Record<string, never> & { do: string; keys: string[]; texts: string[]; answer: string; filter: string; pages: string }): object {
  if (asked.do === 'blind') {
    client = new Client(way === 'noble' ? new Slow() : new Ristretto(), asked.keys.map(un64))
    texts = asked.texts
    bytes = texts.map((text) => encoder.encode(text))
    blinded = client.blind(bytes)
    return { points: b64(blinded.points) }
  }
  if (asked.do === 'finish') {
    values = new Map(client.finish(bytes, blinded, un64(asked.answer)).map((value, i) => [texts[i]!, value]))
    return {}
  }
  if (asked.do === 'match') {
    const read = headOf(un64(asked.filter))
    filter = read.filter
    const members = membersOf(read.whole)
    matches = [...values].filter(([, value]) => isMember(value, members)).map(([text]) => text)
    buckets = among(matches.map((text) => bucketOf(values.get(text)!, filter)), filter, crypto.getRandomValues(new Uint32Array(4096)))
    return { buckets }
  }
  const pages = un64(asked.pages)
  return {
    found: matches.flatMap((text) => {
      const value = values.get(text)!
      const at = buckets.indexOf(bucketOf(value, filter)) * filter.bucketBytes
      return handlesIn(pages.subarray(at, at + filter.bucketBytes), value).map((handle) => ({ text, handle }))
    }),
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line)
  const began = process.cpuUsage()
  const at = performance.now()
  const told = done(asked)
  const used = process.cpuUsage(began)
  console.log(JSON.stringify({ ...told, cpu_ms: (used.user + used.system) / 1000, wall_ms: performance.now() - at }))
}
