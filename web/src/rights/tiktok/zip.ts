/**
 * Reads a ZIP (APPNOTE 6.3.10) through slices of a Blob: the list of its entries, and single entries unpacked under a limit.
 * Nothing is believed that the bytes do not bear out: sizes and the check sum are counted while an entry is read.
 */
import { MOST_DIRECTORY_BYTES, MOST_ENTRIES, MOST_RATIO, RATIO_FROM_BYTES } from './limits.ts'
import { ArchiveRefused } from './refused.ts'

export interface Entry {
  name: string
  method: 'stored' | 'deflated' | 'other'
  packedBytes: number
  sizeBytes: number
  crc32: number
  offset: number
  isEncrypted: boolean
  /** As the writer's clock showed it; a ZIP knows no zones. */
  modifiedMs: number
}

const END = 0x06054b50
const END_64 = 0x06064b50
const END_64_PLACE = 0x07064b50
const CENTRAL = 0x02014b50
const LOCAL = 0x04034b50
const END_BYTES = 22
const MOST_COMMENT_BYTES = 0xffff
const METHODS: Record<number, Entry['method']> = { 0: 'stored', 8: 'deflated' }

/** Does the file begin as a ZIP does? */
export async function isZip(blob: Blob): Promise<boolean> {
  const start = await view(blob, 0, 4)
  return start.byteLength === 4 && [LOCAL, END].includes(start.getUint32(0, true))
}

/** The entries in the order of the directory. Throws ArchiveRefused. */
export async function entries(blob: Blob): Promise<Entry[]> {
  try {
    const { count, offset, sizeBytes } = await directory(blob)
    if (count > MOST_ENTRIES || sizeBytes > MOST_DIRECTORY_BYTES) throw new ArchiveRefused('archive-too-large')
    const bytes = await view(blob, offset, sizeBytes)
    const found: Entry[] = []
    for (let at = 0; found.length < count; ) {
      const [entry, length] = centralEntry(bytes, at)
      found.push(entry)
      at += length
    }
    return found
  } catch (problem) {
    // A view that ends too early: the file was cut, or lies about itself.
    throw problem instanceof RangeError ? new ArchiveRefused('archive-damaged') : problem
  }
}

/** The unpacked bytes. The stream fails with ArchiveRefused as soon as there are more than `mostBytes`, or other ones than promised. */
export async function open(blob: Blob, entry: Entry, mostBytes: number): Promise<ReadableStream<Uint8Array>> {
  if (entry.isEncrypted) throw new ArchiveRefused('archive-encrypted')
  if (entry.method === 'other') throw new ArchiveRefused('archive-damaged')
  if (entry.sizeBytes > mostBytes) throw new ArchiveRefused('archive-too-large')
  const start = await dataStart(blob, entry)
  const packed = blob.slice(start, start + entry.packedBytes)
  if (packed.size !== entry.packedBytes) throw new ArchiveRefused('archive-damaged')
  const stream: ReadableStream<Uint8Array> =
    entry.method === 'stored' ? packed.stream() : packed.stream().pipeThrough(new DecompressionStream('deflate-raw'))
  return checked(stream, entry)
}

/** A stored entry is a slice of the file; nothing is copied. Throws ArchiveRefused. */
export async function storedSlice(blob: Blob, entry: Entry): Promise<Blob> {
  const start = await dataStart(blob, entry)
  return blob.slice(start, start + entry.sizeBytes)
}

async function view(blob: Blob, from: number, length: number): Promise<DataView> {
  return new DataView(await blob.slice(from, from + length).arrayBuffer())
}

async function directory(blob: Blob): Promise<{ count: number; offset: number; sizeBytes: number }> {
  const from = Math.max(0, blob.size - END_BYTES - MOST_COMMENT_BYTES)
  const tail = await view(blob, from, blob.size - from)
  for (let at = tail.byteLength - END_BYTES; at >= 0; at -= 1) {
    if (tail.getUint32(at, true) !== END || at + END_BYTES + tail.getUint16(at + 20, true) !== tail.byteLength) continue
    const [count, sizeBytes, offset] = [tail.getUint16(at + 10, true), tail.getUint32(at + 12, true), tail.getUint32(at + 16, true)]
    if (count !== 0xffff && offset !== 0xffffffff) return { count, sizeBytes, offset }
    return directory64(blob, from + at - 20)
  }
  throw new ArchiveRefused('archive-damaged')
}

async function directory64(blob: Blob, placeAt: number): Promise<{ count: number; offset: number; sizeBytes: number }> {
  const place = await view(blob, placeAt, 20)
  if (place.getUint32(0, true) !== END_64_PLACE) throw new ArchiveRefused('archive-damaged')
  const end = await view(blob, whole(place, 8), 56)
  if (end.getUint32(0, true) !== END_64) throw new ArchiveRefused('archive-damaged')
  return { count: whole(end, 32), sizeBytes: whole(end, 40), offset: whole(end, 48) }
}

/** A number of 64 bits; one that is larger than any file is damage. */
function whole(bytes: DataView, at: number): number {
  const value = bytes.getBigUint64(at, true)
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new ArchiveRefused('archive-damaged')
  return Number(value)
}

function centralEntry(bytes: DataView, at: number): [Entry, number] {
  if (bytes.getUint32(at, true) !== CENTRAL) throw new ArchiveRefused('archive-damaged')
  const [nameLength, extraLength, commentLength] = [28, 30, 32].map((place) => bytes.getUint16(at + place, true)) as [number, number, number]
  const name = new TextDecoder().decode(new Uint8Array(bytes.buffer, bytes.byteOffset + at + 46, nameLength))
  const entry: Entry = {
    name,
    method: METHODS[bytes.getUint16(at + 10, true)] ?? 'other',
    packedBytes: bytes.getUint32(at + 20, true),
    sizeBytes: bytes.getUint32(at + 24, true),
    crc32: bytes.getUint32(at + 16, true),
    offset: bytes.getUint32(at + 42, true),
    isEncrypted: (bytes.getUint16(at + 8, true) & 1) === 1,
    modifiedMs: dosTime(bytes.getUint16(at + 14, true), bytes.getUint16(at + 12, true)),
  }
  widen(entry, bytes, at + 46 + nameLength, extraLength)
  return [entry, 46 + nameLength + extraLength + commentLength]
}

/** Numbers that did not fit stand in the extra field 1, in this order and only those. */
function widen(entry: Entry, bytes: DataView, from: number, length: number): void {
  for (let at = from; at + 4 <= from + length; at += 4 + bytes.getUint16(at + 2, true)) {
    if (bytes.getUint16(at, true) !== 1) continue
    let place = at + 4
    for (const key of ['sizeBytes', 'packedBytes', 'offset'] as const) {
      if (entry[key] !== 0xffffffff) continue
      entry[key] = whole(bytes, place)
      place += 8
    }
    return
  }
}

/** MS-DOS time, two seconds fine, taken as UTC. */
function dosTime(date: number, time: number): number {
  return Date.UTC(1980 + (date >> 9), ((date >> 5) & 15) - 1, date & 31, time >> 11, (time >> 5) & 63, (time & 31) * 2)
}

async function dataStart(blob: Blob, entry: Entry): Promise<number> {
  const header = await view(blob, entry.offset, 30)
  if (header.byteLength < 30 || header.getUint32(0, true) !== LOCAL) throw new ArchiveRefused('archive-damaged')
  return entry.offset + 30 + header.getUint16(26, true) + header.getUint16(28, true)
}

async function* counted(stream: ReadableStream<Uint8Array>, entry: Entry): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader()
  let [size, crc] = [0, -1]
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      size += value.byteLength
      if (size > entry.sizeBytes) throw new ArchiveRefused('archive-damaged')
      if (size > RATIO_FROM_BYTES && size > entry.packedBytes * MOST_RATIO) throw new ArchiveRefused('archive-too-large')
      crc = crc32(value, crc)
      yield value
    }
  } catch (problem) {
    throw problem instanceof ArchiveRefused ? problem : new ArchiveRefused('archive-damaged')
  } finally {
    await reader.cancel().catch(() => undefined)
  }
  if (size !== entry.sizeBytes || (crc ^ -1) >>> 0 !== entry.crc32) throw new ArchiveRefused('archive-damaged')
}

function checked(stream: ReadableStream<Uint8Array>, entry: Entry): ReadableStream<Uint8Array> {
  const bytes = counted(stream, entry)
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await bytes.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
    async cancel() {
      await bytes.return(undefined)
    },
  })
}

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})

function crc32(bytes: Uint8Array, before: number): number {
  let crc = before
  for (const byte of bytes) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 255] ?? 0)
  return crc
}
