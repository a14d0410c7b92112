/** When a film is made smaller on the device before it is sent, and how small: the rules, without the maker. */

/** A film as its container describes it; upright, as it is shown. */
export interface Shape {
  width: number
  height: number
  fps: number
  durationMs: number
  sizeBytes: number
}

export interface Plan {
  width: number
  height: number
  bitsPerSecond: number
  /** About what the smaller file will have, sound included. */
  sizeBytes: number
}

/** How the device is connected, as far as the browser tells. */
export interface Connected {
  saveData?: boolean
  effectiveType?: string
  downlink?: number
}

/** The cell keeps no more lines than this. */
const MOST_SHORT_SIDE = 1080
/** At 30 frames a second: more than the cell's own renditions may have, since they are made from this one. */
const BITS_A_PIXEL = 0.18
/** Twice as many frames of the same film differ less from one another. */
const FPS_POWER = 0.6
const MOST_FPS = 60
const SOUND_BITS_PER_SECOND = 192_000
/** A smaller gain is not worth the wait and the second loss. */
const LEAST_GAIN_BYTES = 1_000_000
const MOST_SHARE = 0.75
/** The smaller film is held in memory while it is made. */
const MOST_BYTES = 200_000_000
/** Gains for which it is done unless one says no: half of a large file, or a third over a line that is slow or paid by the megabyte. */
const LARGE_GAIN_BYTES = 15_000_000
const SLOW_MBITS = 5

/** Null where it is not worth it. */
export function planOf(film: Shape): Plan | null {
  const short = Math.min(film.width, film.height)
  if (short <= 0 || film.durationMs <= 0) return null
  const by = Math.min(1, MOST_SHORT_SIDE / short)
  const [width, height] = by < 1 ? [even(film.width * by), even(film.height * by)] : [film.width, film.height]
  const fps = Math.min(MOST_FPS, Math.max(30, film.fps))
  const bitsPerSecond = Math.round(BITS_A_PIXEL * width * height * 30 * (fps / 30) ** FPS_POWER)
  const sizeBytes = Math.round(((bitsPerSecond + SOUND_BITS_PER_SECOND) * film.durationMs) / 8000)
  if (!isGain(film.sizeBytes, sizeBytes) || sizeBytes > MOST_BYTES) return null
  return { width, height, bitsPerSecond, sizeBytes }
}

/** What is made may come out a little larger than was reckoned. */
const MARGIN = 1.1

/** Will what is made be small enough for the cell? */
export function fits(plan: Plan, mostBytes: number): boolean {
  return plan.sizeBytes * MARGIN <= mostBytes
}

/** Is it so much smaller that it is worth sending in the place of the film? */
export function isGain(filmBytes: number, smallBytes: number): boolean {
  return smallBytes <= filmBytes * MOST_SHARE && filmBytes - smallBytes >= LEAST_GAIN_BYTES
}

/** Whether it is done unless one says no. */
export function isWanted(filmBytes: number, plan: Plan, connected: Connected | undefined): boolean {
  const slow = connected?.saveData === true || /^(slow-2g|2g|3g)$/.test(connected?.effectiveType ?? '') || (connected?.downlink ?? Infinity) < SLOW_MBITS
  if (slow) return true
  return plan.sizeBytes <= filmBytes / 2 && filmBytes - plan.sizeBytes >= LARGE_GAIN_BYTES
}

/**
 * Has the codec (RFC 6381) eight bits a colour, so that the encoders of browsers lose none of them? What is not known has not:
 * films with more are HDR more often than not, and keep their look only as they are.
 */
export function isEightBit(codec: string): boolean {
  const [name = '', ...rest] = codec.split('.')
  if (name === 'avc1' || name === 'avc3') return /^(42|4d|58|64)/i.test(rest[0] ?? '')
  if (name === 'hvc1' || name === 'hev1') return /^[A-C]?1$/.test(rest[0] ?? '')
  if (name === 'vp8') return true
  if (name === 'vp09' || name === 'av01') return rest[2] === '08'
  return false
}

/** The box of content credentials (C2PA, annex A.5): they say what AI has made, and would be lost. */
const CREDENTIALS = 'd8fec3d61b0e483c92975828877ec481'

/** Does the file (ISO/IEC 14496-12) have that box beside its others? False for other containers, of which the cell reads none. */
export async function hasCredentials(file: Blob): Promise<boolean> {
  for (let at = 0; at + 24 <= file.size; ) {
    const head = new DataView(await file.slice(at, at + 32).arrayBuffer())
    let size = head.getUint32(0)
    let past = 8
    if (size === 1 && head.byteLength >= 32) {
      size = Number(head.getBigUint64(8))
      past = 16
    }
    const kind = String.fromCharCode(head.getUint8(4), head.getUint8(5), head.getUint8(6), head.getUint8(7))
    if (!/^[\x20-\x7e\xa9]{4}$/.test(kind)) return false
    if (kind === 'uuid' && hex(head, past) === CREDENTIALS) return true
    if (size < past) return false
    at += size
  }
  return false
}

function hex(bytes: DataView, from: number): string {
  let text = ''
  for (let at = from; at < from + 16; at += 1) text += bytes.getUint8(at).toString(16).padStart(2, '0')
  return text
}

function even(value: number): number {
  return Math.max(2, Math.round(value / 2) * 2)
}
