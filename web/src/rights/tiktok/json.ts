/**
 * Reads JSON (RFC 8259) that comes in pieces, under limits. Other than `JSON.parse` it keeps what stands twice under one key
 * (RFC 8259, section 4, leaves that open; the built-in one drops the first), and whole numbers that a double cannot hold as text.
 */
import { MOST_DEPTH, MOST_STRING_CHARS, MOST_VALUES } from './limits.ts'
import { ArchiveRefused } from './refused.ts'

export type Json = null | boolean | number | string | Json[] | JsonMap
/** Without a prototype, so that a key such as `__proto__` is a key like any other. */
export interface JsonMap {
  [key: string]: Json
}

export function isMap(value: Json | undefined): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

interface Open {
  value: Json[] | JsonMap
  key: string | null
}
type Wanted = 'value' | 'value or ]' | 'key' | 'key or }' | 'colon' | 'comma' | 'end'

const MOST_TOLD = 100
const BLANK = /[ \t\n\r]*/y
const WORD = /[-+.0-9A-Za-z]*/y

export class JsonReader {
  /** Keys that stood twice in one map, as paths. */
  readonly twice: string[] = []
  private buffer = ''
  private at = 0
  private wanted: Wanted = 'value'
  private values = 0
  private result: Json | undefined
  private readonly stack: Open[] = []

  /** Throws ArchiveRefused. */
  push(piece: string): void {
    this.buffer = this.buffer.slice(this.at) + piece
    this.at = 0
    this.run(false)
  }

  /** The whole value. Throws ArchiveRefused. */
  end(): Json {
    this.run(true)
    if (this.wanted !== 'end' || this.result === undefined) throw new ArchiveRefused('archive-not-json')
    return this.result
  }

  private run(isLast: boolean): void {
    while (this.step(isLast));
  }

  /** Reads one token; false when the next one is not there as a whole. */
  private step(isLast: boolean): boolean {
    BLANK.lastIndex = this.at
    BLANK.exec(this.buffer)
    this.at = BLANK.lastIndex
    const sign = this.buffer[this.at]
    if (sign === undefined) return false
    switch (this.wanted) {
      case 'key or }':
        if (sign === '}') return this.close()
        return this.key(sign)
      case 'key':
        return this.key(sign)
      case 'colon':
        if (sign !== ':') throw new ArchiveRefused('archive-not-json')
        return this.next('value')
      case 'comma':
        if (sign === ',') return this.next(Array.isArray(this.stack.at(-1)?.value) ? 'value' : 'key')
        if (sign !== (Array.isArray(this.stack.at(-1)?.value) ? ']' : '}')) throw new ArchiveRefused('archive-not-json')
        return this.close()
      case 'value or ]':
        if (sign === ']') return this.close()
        return this.value(sign, isLast)
      case 'value':
        return this.value(sign, isLast)
      case 'end':
        throw new ArchiveRefused('archive-not-json')
    }
  }

  private next(wanted: Wanted): boolean {
    this.at += 1
    this.wanted = wanted
    return true
  }

  private key(sign: string): boolean {
    if (sign !== '"') throw new ArchiveRefused('archive-not-json')
    const text = this.text()
    if (text === null) return false
    const map = this.stack.at(-1)
    if (map) map.key = text
    this.wanted = 'colon'
    return true
  }

  private value(sign: string, isLast: boolean): boolean {
    if (sign === '{' || sign === '[') return this.begin(sign)
    const found = sign === '"' ? this.text() : this.word(isLast)
    if (found === undefined || (sign === '"' && found === null)) return false
    this.count()
    this.put(found)
    return true
  }

  private begin(sign: '{' | '['): boolean {
    this.count()
    if (this.stack.length >= MOST_DEPTH) throw new ArchiveRefused('archive-too-deep')
    this.stack.push({ value: sign === '[' ? [] : emptyMap(), key: null })
    return this.next(sign === '[' ? 'value or ]' : 'key or }')
  }

  private close(): boolean {
    const done = this.stack.pop()
    if (done) this.put(done.value)
    this.at += 1
    return true
  }

  private count(): void {
    this.values += 1
    if (this.values > MOST_VALUES) throw new ArchiveRefused('archive-too-large')
  }

  private put(value: Json): void {
    const around = this.stack.at(-1)
    this.wanted = around ? 'comma' : 'end'
    if (!around) this.result = value
    else if (Array.isArray(around.value)) around.value.push(value)
    else if (around.key !== null) this.set(around.value, around.key, value)
  }

  private set(map: JsonMap, key: string, value: Json): void {
    const before = map[key]
    if (before === undefined) {
      map[key] = value
      return
    }
    const path = [...this.stack.slice(0, -1).map((open) => open.key ?? '*'), key].join(' › ')
    if (this.twice.length < MOST_TOLD && !this.twice.includes(path)) this.twice.push(path)
    map[key] = joined(before, value)
  }

  /** A text from the quote at `at`; null when its end is not there yet. */
  private text(): string | null {
    let end = this.at
    do {
      end = this.buffer.indexOf('"', end + 1)
      if (end < 0) {
        if (this.buffer.length - this.at > MOST_STRING_CHARS) throw new ArchiveRefused('archive-too-large')
        return null
      }
    } while (isEscaped(this.buffer, end))
    if (end - this.at > MOST_STRING_CHARS) throw new ArchiveRefused('archive-too-large')
    const text = parsed(this.buffer.slice(this.at, end + 1)) as string
    this.at = end + 1
    return text
  }

  /** A number, `true`, `false` or `null`; undefined when it may go on in the next piece. */
  private word(isLast: boolean): Json | undefined {
    WORD.lastIndex = this.at
    WORD.exec(this.buffer)
    const end = WORD.lastIndex
    if (end === this.buffer.length && !isLast && end - this.at < MOST_STRING_CHARS) return undefined
    const word = this.buffer.slice(this.at, end)
    const value = parsed(word)
    this.at = end
    return typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) && /^-?\d+$/.test(word) ? word : value
  }
}

function emptyMap(): JsonMap {
  return Object.create(null) as JsonMap
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0
  while (text[at - 1 - slashes] === '\\') slashes += 1
  return slashes % 2 === 1
}

function parsed(token: string): Json {
  try {
    return JSON.parse(token) as Json
  } catch {
    throw new ArchiveRefused('archive-not-json')
  }
}

/** Both values of a key that stood twice: lists one after the other, maps key by key, else both in a list. */
function joined(first: Json, second: Json): Json {
  if (first === null || first === '') return second
  if (second === null || second === '') return first
  if (Array.isArray(first)) {
    // In place: a key that stands a million times must not cost a million copies.
    if (Array.isArray(second)) for (const item of second) first.push(item)
    else first.push(second)
    return first
  }
  if (Array.isArray(second)) return [first, ...second]
  if (!isMap(first) || !isMap(second)) return first === second ? first : [first, second]
  for (const [key, value] of Object.entries(second)) first[key] = first[key] === undefined ? value : joined(first[key], value)
  return first
}

/** Reads a stream of UTF-8 as JSON, and pauses between pieces so that the page stays alive. Throws ArchiveRefused. */
export async function readJson(stream: ReadableStream<Uint8Array>, mostBytes: number): Promise<{ value: Json; twice: string[] }> {
  const [decoder, reader, input] = [new TextDecoder(), new JsonReader(), stream.getReader()]
  let size = 0
  try {
    for (;;) {
      const { done, value } = await input.read()
      if (done) break
      size += value.byteLength
      if (size > mostBytes) throw new ArchiveRefused('archive-too-large')
      reader.push(decoder.decode(value, { stream: true }))
    }
    reader.push(decoder.decode())
    return { value: reader.end(), twice: reader.twice }
  } finally {
    await input.cancel().catch(() => undefined)
  }
}
