/**
 * The worker that meets contacts: it blinds, checks, matches and opens, so that the page does not stand
 * still. Its own policy (the header of this file) lets it run WebAssembly and speak to nobody.
 */
import { among, bucketOf, type Filter, handlesIn, headOf, isMember, membersOf, partOf } from './filter.ts'
import { Kept } from './kept.ts'
import { type Group, Ristretto } from './ristretto.ts'
import { Slow } from './slow.ts'
import { BadProof, Client } from './voprf.ts'

export interface Begin {
  do: 'begin'
  person: string
  /** Public keys of both halves. */
  keys: Uint8Array[]
  texts: string[]
}
export type Asked =
  | Begin
  | { do: 'blind'; most: number }
  | { do: 'finish'; answer: Uint8Array }
  | { do: 'head'; bytes: Uint8Array }
  | { do: 'match'; parts: Uint8Array | null }
  | { do: 'open'; pages: Uint8Array }
export type Told =
  | { told: 'begun'; missing: number; fast: boolean }
  | { told: 'points'; points: Uint8Array }
  | { told: 'finished' }
  | { told: 'parts'; bits: number; indexes: number[]; round: number }
  | { told: 'buckets'; bits: number; indexes: number[] }
  | { told: 'found'; found: { text: string; handle: string }[] }
  | { told: 'wrong'; code: 'bad-proof' | 'failed' }

const encoder = new TextEncoder()
let client: Client | null = null
let kept: Kept | null = null
let texts: string[] = []
const values = new Map<string, Uint8Array>()
let under: { texts: string[]; bytes: Uint8Array[]; blinded: ReturnType<Client['blind']> } | null = null
let filter: Filter | null = null
let whole: Uint8Array = new Uint8Array()
let parts: number[] = []
let buckets: number[] = []
let matches: string[] = []

async function answerTo(asked: Asked): Promise<Told> {
  switch (asked.do) {
    case 'begin': {
      let group: Group
      let fast = true
      try {
        group = new Ristretto()
      } catch {
        group = new Slow()
        fast = false
      }
      client = new Client(group, asked.keys)
      texts = asked.texts
      values.clear()
      kept?.close()
      const round = asked.keys.map((key) => [...key].map((byte) => byte.toString(16).padStart(2, '0')).join('')).join()
      kept = await Kept.open(asked.person, round)
      const known = kept ? await kept.get(texts) : []
      known.forEach((value, i) => value && values.set(texts[i]!, value))
      return { told: 'begun', missing: texts.length - values.size, fast }
    }
    case 'blind': {
      const some = texts.filter((text) => !values.has(text)).slice(0, asked.most)
      const bytes = some.map((text) => encoder.encode(text))
      under = { texts: some, bytes, blinded: client!.blind(bytes) }
      return { told: 'points', points: under.blinded.points }
    }
    case 'finish': {
      const made = client!.finish(under!.bytes, under!.blinded, asked.answer)
      made.forEach((value, i) => values.set(under!.texts[i]!, value))
      await kept?.put(under!.texts, made)
      under = null
      return { told: 'finished' }
    }
    case 'head': {
      const read = headOf(asked.bytes)
      filter = read.filter
      whole = read.whole
      parts = filter.partBits === 0 ? [] : [...new Set([...values.values()].map((value) => partOf(value, filter!)))].sort((a, b) => a - b)
      return { told: 'parts', bits: filter.partBits, indexes: parts, round: filter.round }
    }
    case 'match': {
      const size = asked.parts && parts.length ? asked.parts.length / parts.length : 0
      const members = new Map<number, ReturnType<typeof membersOf>>()
      if (asked.parts) parts.forEach((part, i) => members.set(part, membersOf(asked.parts!.subarray(i * size, (i + 1) * size))))
      else members.set(0, membersOf(whole))
      matches = [...values].filter(([, value]) => isMember(value, members.get(partOf(value, filter!))!)).map(([text]) => text)
      const others = kept ? await kept.others() : crypto.getRandomValues(new Uint32Array(4096))
      buckets = among(matches.map((text) => bucketOf(values.get(text)!, filter!)), filter!, others)
      return { told: 'buckets', bits: filter!.bucketBits, indexes: buckets }
    }
    case 'open': {
      const size = filter!.bucketBytes
      const found = matches.flatMap((text) => {
        const value = values.get(text)!
        const at = buckets.indexOf(bucketOf(value, filter!)) * size
        return handlesIn(asked.pages.subarray(at, at + size), value).map((handle) => ({ text, handle }))
      })
      return { told: 'found', found }
    }
  }
}

addEventListener('message', (event: MessageEvent<Asked>) => {
  void answerTo(event.data).then(
    (told) => postMessage(told),
    (problem: unknown) => postMessage({ told: 'wrong', code: problem instanceof BadProof ? 'bad-proof' : 'failed' } satisfies Told),
  )
})
