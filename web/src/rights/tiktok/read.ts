/** From a chosen file to what stands in it. Everything happens on this device: nothing here sends, and no link is followed. */
import { readJson, type Json } from './json.ts'
import { MOST_JSON_BYTES } from './limits.ts'
import { overviewOf, type Overview } from './overview.ts'
import { ArchiveRefused } from './refused.ts'
import { entries, isZip, open, storedSlice, type Entry } from './zip.ts'

const DATA_FILE = /(^|\/)user_data(_tiktok)?\.json$/i
/** An export of a cell of Luciole begins with these (docs/reference, exports). */
const LUCIOLE_FILES = ['manifest.json', 'manifest.sig']
const VIDEO_FILE = /\.(mp4|mov|webm|m4v|mkv)$/i

/** Throws ArchiveRefused with the reason. */
export async function readArchive(file: Blob): Promise<Overview> {
  const { value, twice } = await readJson(await dataOf(file), MOST_JSON_BYTES)
  return overviewOf(value, twice)
}

async function dataOf(file: Blob): Promise<ReadableStream<Uint8Array>> {
  if (await isZip(file)) {
    const all = await entries(file)
    return open(file, dataEntry(all), MOST_JSON_BYTES)
  }
  if (file.size > MOST_JSON_BYTES) throw new ArchiveRefused('archive-too-large')
  const start = (await file.slice(0, 64).text()).trimStart()
  // A section of the text variant that was taken out of its ZIP, or anything else.
  if (!start.startsWith('{')) throw new ArchiveRefused((file as Partial<File>).name?.toLowerCase().endsWith('.txt') ? 'archive-of-text' : 'archive-not-json')
  return file.stream()
}

function dataEntry(all: Entry[]): Entry {
  const [data, ...more] = all.filter((entry) => DATA_FILE.test(entry.name))
  if (more.length > 0) throw new ArchiveRefused('archive-two-data-files')
  if (data) return data
  if (LUCIOLE_FILES.every((name) => all.some((entry) => entry.name === name))) throw new ArchiveRefused('archive-of-luciole')
  const isText = all.some((entry) => entry.name.toLowerCase().endsWith('.txt'))
  throw new ArchiveRefused(isText ? 'archive-of-text' : 'archive-without-data')
}

/** A video that can be sent, from wherever it lies. */
export interface VideoFile {
  name: string
  sizeBytes: number
  modifiedMs: number | null
  /** The file itself, unpacked when it is needed. Throws ArchiveRefused. */
  open: () => Promise<File>
}

/** The videos among chosen files; those in ZIPs too (TikTok gives posts that way). `passed` counts what is no video. */
export async function videosIn(files: readonly File[], mostBytes: number): Promise<{ videos: VideoFile[]; passed: number }> {
  const videos: VideoFile[] = []
  let passed = 0
  for (const file of files) {
    if (await isZip(file)) {
      const found = (await entries(file)).filter((entry) => VIDEO_FILE.test(entry.name))
      videos.push(...found.map((entry) => zipped(file, entry, mostBytes)))
      if (found.length === 0) passed += 1
    } else if (file.type.startsWith('video/') || VIDEO_FILE.test(file.name)) {
      videos.push({ name: file.name, sizeBytes: file.size, modifiedMs: file.lastModified || null, open: async () => file })
    } else {
      passed += 1
    }
  }
  return { videos, passed }
}

function zipped(archive: Blob, entry: Entry, mostBytes: number): VideoFile {
  const name = entry.name.split('/').at(-1) ?? entry.name
  const type = `video/${/\.(mov)$/i.test(name) ? 'quicktime' : /\.webm$/i.test(name) ? 'webm' : 'mp4'}`
  return {
    name,
    sizeBytes: entry.sizeBytes,
    modifiedMs: entry.modifiedMs,
    open: async () => {
      // Videos are mostly stored as they are; then nothing of them is held in memory.
      if (entry.method === 'stored' && !entry.isEncrypted) return new File([await storedSlice(archive, entry)], name, { type })
      const content = await new Response(await open(archive, entry, mostBytes)).blob()
      return new File([content], name, { type })
    },
  }
}

export type { Json }
