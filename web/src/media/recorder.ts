/** The camera of this device, upright, recorded to a file that any cell can read. */

import { keptParts, type Piece } from './pieces.ts'

const PREFERRED = ['video/mp4;codecs=avc1.42E01E,mp4a.40.2', 'video/mp4', 'video/webm;codecs=vp9,opus', 'video/webm;codecs=vp8,opus', 'video/webm']
const BITS_PER_SECOND = 5_000_000
const UPRIGHT = { width: 720, height: 1280 }

export type Facing = 'user' | 'environment'

export function canRecord(): boolean {
  return typeof MediaRecorder !== 'undefined' && Boolean(navigator.mediaDevices?.getUserMedia)
}

export async function openCamera(facing: Facing): Promise<MediaStream> {
  return navigator.mediaDevices.getUserMedia({
    video: { facingMode: facing, width: { ideal: 1920 }, height: { ideal: 1080 }, frameRate: { ideal: 30 } },
    audio: { echoCancellation: true, noiseSuppression: true },
  })
}

export function closeCamera(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop()
}

/** A lying camera (a laptop's) is cut upright, from its middle; an upright one is recorded as it is. */
function uprightStream(stream: MediaStream, shown: HTMLVideoElement): { stream: MediaStream; stop: () => void } {
  if (shown.videoWidth <= shown.videoHeight) return { stream, stop: () => undefined }
  const canvas = document.createElement('canvas')
  canvas.width = UPRIGHT.width
  canvas.height = UPRIGHT.height
  const brush = canvas.getContext('2d', { alpha: false })
  let running = true
  const draw = () => {
    if (!running || !brush) return
    const width = shown.videoHeight * (UPRIGHT.width / UPRIGHT.height)
    brush.drawImage(shown, (shown.videoWidth - width) / 2, 0, width, shown.videoHeight, 0, 0, UPRIGHT.width, UPRIGHT.height)
    requestAnimationFrame(draw)
  }
  draw()
  const cut = canvas.captureStream(30)
  for (const track of stream.getAudioTracks()) cut.addTrack(track)
  return {
    stream: cut,
    stop: () => {
      running = false
    },
  }
}

/** What was filmed: one file, and the parts of it that are kept. */
export interface Filmed {
  file: File
  pieces: Piece[]
}

/** A recording in parts: between two of them the recorder rests, so that all of them are one file without anything being encoded again. A part that is taken back stays in the file and is left out by the cell. */
export class Recording {
  readonly done: Promise<Filmed>
  private readonly recorder: MediaRecorder
  private readonly ends: number[] = []
  private readonly dropped = new Set<number>()
  private since: number | null = null
  private before = 0

  constructor(stream: MediaStream, shown: HTMLVideoElement) {
    const upright = uprightStream(stream, shown)
    const type = PREFERRED.find((candidate) => MediaRecorder.isTypeSupported(candidate))
    const recorder = new MediaRecorder(upright.stream, { ...(type ? { mimeType: type } : {}), videoBitsPerSecond: BITS_PER_SECOND })
    const pieces: Blob[] = []
    recorder.ondataavailable = (event) => {
      if (event.data.size > 0) pieces.push(event.data)
    }
    recorder.onstart = recorder.onresume = () => (this.since = performance.now())
    this.done = new Promise((resolve, reject) => {
      recorder.onstop = () => {
        upright.stop()
        const kind = (recorder.mimeType || type || 'video/webm').split(';')[0] ?? 'video/webm'
        const file = new File(pieces, kind === 'video/mp4' ? 'clip.mp4' : 'clip.webm', { type: kind, lastModified: Date.now() })
        resolve({ file, pieces: keptParts(this.ends, this.dropped) })
      }
      recorder.onerror = () => reject(new Error('the recorder stopped'))
    })
    recorder.start(1000)
    this.recorder = recorder
  }

  /** How much was filmed, with what was taken back. */
  get filmedMs(): number {
    return this.before + (this.since === null ? 0 : performance.now() - this.since)
  }

  /** How long each part is that is kept; the one that is being filmed comes last. */
  get parts(): number[] {
    const found = this.ends.map((end, index) => (this.dropped.has(index) ? 0 : end - (this.ends[index - 1] ?? 0)))
    return [...found, this.filmedMs - (this.ends.at(-1) ?? 0)].filter((ms) => ms > 0)
  }

  pause(): void {
    if (this.recorder.state !== 'recording') return
    this.recorder.pause()
    this.endPart()
  }

  resume(): void {
    if (this.recorder.state === 'paused') this.recorder.resume()
  }

  /** Takes the last part back that is still kept. */
  dropLast(): void {
    for (let index = this.ends.length - 1; index >= 0; index -= 1) {
      if (this.dropped.has(index)) continue
      this.dropped.add(index)
      return
    }
  }

  stop(): void {
    if (this.recorder.state === 'inactive') return
    this.endPart()
    this.recorder.stop()
  }

  private endPart(): void {
    this.before = this.filmedMs
    this.since = null
    if (this.before > (this.ends.at(-1) ?? 0)) this.ends.push(this.before)
  }
}
