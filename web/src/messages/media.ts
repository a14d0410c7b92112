/** Photos made small and without what they tell of place and camera; voice recorded. All on the device. */
import { MAX_VOICE_S } from './payload.ts'

const LONG_SIDE = 1600
const MAX_SOURCE_BYTES = 40_000_000
const BARS = 32
const VOICE_TYPES = ['audio/webm;codecs=opus', 'audio/mp4', 'audio/ogg;codecs=opus', 'audio/webm']

/** Why a file is no photo that can be sent; its words are among the errors. */
export class NoPhoto extends Error {}

/** Drawn anew: what is not picture (place, camera, time) is not in it any more. */
export async function photoOf(file: File): Promise<{ bytes: Uint8Array; type: string; width: number; height: number }> {
  if (file.size > MAX_SOURCE_BYTES) throw new NoPhoto()
  const picture = await createImageBitmap(file, { imageOrientation: 'from-image' }).catch(() => {
    throw new NoPhoto()
  })
  const scale = Math.min(1, LONG_SIDE / Math.max(picture.width, picture.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(picture.width * scale))
  canvas.height = Math.max(1, Math.round(picture.height * scale))
  canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height)
  picture.close()
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.82))
  if (!blob) throw new NoPhoto()
  return { bytes: new Uint8Array(await blob.arrayBuffer()), type: 'image/jpeg', width: canvas.width, height: canvas.height }
}

export function canRecordVoice(): boolean {
  return typeof MediaRecorder !== 'undefined' && Boolean(navigator.mediaDevices?.getUserMedia)
}

export interface Recorded {
  bytes: Uint8Array
  type: string
  seconds: number
  bars: number[]
}

/** A voice message that is being recorded; it ends by itself after a minute. */
export class VoiceRecording {
  private readonly stream: MediaStream
  private readonly recorder: MediaRecorder
  private readonly pieces: Blob[] = []
  private readonly levels: number[] = []
  private readonly sound = new AudioContext()
  private readonly began = performance.now()
  private readonly watch: ReturnType<typeof setInterval>
  private ended = 0

  static async begin(onlimit: () => void): Promise<VoiceRecording> {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true } })
    return new VoiceRecording(stream, onlimit)
  }

  private constructor(stream: MediaStream, onlimit: () => void) {
    this.stream = stream
    const mimeType = VOICE_TYPES.find((type) => MediaRecorder.isTypeSupported(type))
    this.recorder = new MediaRecorder(stream, { ...(mimeType ? { mimeType } : {}), audioBitsPerSecond: 32_000 })
    this.recorder.ondataavailable = ({ data }) => data.size > 0 && this.pieces.push(data)
    const listener = this.sound.createAnalyser()
    this.sound.createMediaStreamSource(stream).connect(listener)
    const wave = new Uint8Array(listener.fftSize)
    this.watch = setInterval(() => {
      listener.getByteTimeDomainData(wave)
      this.levels.push(Math.max(...wave.map((value) => Math.abs(value - 128))) / 128)
      if (this.seconds >= MAX_VOICE_S) onlimit()
    }, 100)
    this.recorder.start(500)
  }

  get seconds(): number {
    return ((this.ended || performance.now()) - this.began) / 1000
  }

  async stop(): Promise<Recorded> {
    this.ended = performance.now()
    const done = new Promise((resolve) => (this.recorder.onstop = resolve))
    if (this.recorder.state !== 'inactive') this.recorder.stop()
    else this.recorder.onstop?.(new Event('stop'))
    await done
    this.close()
    const type = (this.recorder.mimeType || 'audio/webm').replace(/;.*/, '')
    return { bytes: new Uint8Array(await new Blob(this.pieces).arrayBuffer()), type, seconds: Math.min(MAX_VOICE_S, Math.round(this.seconds * 10) / 10), bars: barsOf(this.levels) }
  }

  close(): void {
    clearInterval(this.watch)
    for (const track of this.stream.getTracks()) track.stop()
    if (this.sound.state !== 'closed') void this.sound.close()
  }
}

/** So many levels as there is room for, the loudest of each stretch, to two digits. */
export function barsOf(levels: number[]): number[] {
  const count = Math.min(BARS, levels.length)
  const loudest = Math.max(0.05, ...levels)
  return Array.from({ length: count }, (_, at) => {
    const stretch = levels.slice(Math.floor((at * levels.length) / count), Math.floor(((at + 1) * levels.length) / count))
    return Math.round((Math.max(0, ...stretch) / loudest) * 100) / 100
  })
}
