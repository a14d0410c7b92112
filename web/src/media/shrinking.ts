/** Makes a film smaller with the encoder of this browser. A part of its own: only who has a large film loads it. */
import { BlobSource, BufferTarget, canEncodeVideo, Conversion, Input, MATROSKA, MP4, Mp4OutputFormat, Output, QTFF, Quality, WEBM, type InputVideoTrack } from 'mediabunny'
import { hasCredentials, isEightBit, isGain, planOf, type Plan } from './shrink.ts'

/** What phones and recorders write. */
const FORMATS = [MP4, QTFF, MATROSKA, WEBM]
/** What the first frames say about how many there are a second. */
const COUNTED = 120
/** The smaller film must end when the film does, and have its frames: pieces, cover and text are counted in it. */
const MOST_APART_S = 0.1
const LEAST_FRAMES = 0.97

/** How small the film can be made here; null where that is not worth it, where its look or its word about AI would be lost, or where this browser cannot. */
export async function plan(file: File): Promise<Plan | null> {
  return read(file, (input) => planFor(file, input))
}

async function planFor(file: File, input: Input): Promise<Plan | null> {
  const track = await onlyPicture(input)
  if (!track || (await track.hasHighDynamicRange()) || !isEightBit((await track.getCodecParameterString()) ?? '')) return null
  const found = planOf({
    width: await track.getDisplayWidth(),
    height: await track.getDisplayHeight(),
    fps: (await track.computePacketStats(COUNTED)).averagePacketRate,
    durationMs: (await track.computeDuration()) * 1000,
    sizeBytes: file.size,
  })
  if (!found || !(await track.canDecode()) || (await hasCredentials(file))) return null
  return (await canEncodeVideo('avc', { width: found.width, height: found.height, quality: qualityOf(found) })) ? found : null
}

/** The smaller film, an MP4 without any of the file's words about place, device and time; null where it came out no smaller or not whole. Throws when it cannot be made, or when told to stop. */
export async function shrunk(file: File, wanted: Plan, told: (share: number) => void, stop: AbortSignal): Promise<File | null> {
  return read(file, async (input) => {
    const made = await converted(input, wanted, told, stop)
    return made && isGain(file.size, made.size) && (await isWhole(input, made)) ? made : null
  })
}

async function converted(input: Input, wanted: Plan, told: (share: number) => void, stop: AbortSignal): Promise<File | null> {
  const target = new BufferTarget()
  const output = new Output({ format: new Mp4OutputFormat({ fastStart: false }), target })
  const conversion = await Conversion.init({
    input,
    output,
    tracks: 'primary',
    // From the zero of the film, so that what is cut out of it stays where it is.
    trim: { start: 0 },
    tags: {},
    showWarnings: false,
    video: async (track) => ({
      codec: 'avc',
      forceTranscode: true,
      quality: qualityOf(wanted),
      keyFrameInterval: 2,
      // A frame that keeps its size goes to the encoder as it was decoded.
      ...((await track.getDisplayWidth()) === wanted.width ? {} : { width: wanted.width, height: wanted.height, fit: 'fill' as const }),
    }),
  })
  if (!conversion.isValid || conversion.discardedTracks.some(({ track }) => track.isVideoTrack() || track.isAudioTrack())) return null
  conversion.onProgress = told
  const cancel = () => void conversion.cancel()
  stop.throwIfAborted()
  stop.addEventListener('abort', cancel)
  try {
    await conversion.execute()
  } finally {
    stop.removeEventListener('abort', cancel)
  }
  return target.buffer && new File([target.buffer], 'film.mp4', { type: 'video/mp4' })
}

/** What `act` finds in the file, which is let go of afterwards. */
async function read<T>(file: File, act: (input: Input) => Promise<T>): Promise<T> {
  const input = new Input({ source: new BlobSource(file), formats: FORMATS })
  try {
    return await act(input)
  } finally {
    input.dispose()
  }
}

function qualityOf(wanted: Plan): Quality {
  return new Quality({ bitrate: wanted.bitsPerSecond, bitrateMode: 'variable' })
}

/** The picture of a film with one; of films with several the cell chooses. */
async function onlyPicture(input: Input): Promise<InputVideoTrack | null> {
  const [track, ...more] = await input.getVideoTracks()
  return track && more.length === 0 ? track : null
}

async function isWhole(input: Input, made: File): Promise<boolean> {
  const [before, after] = await Promise.all([countedIn(input), read(made, countedIn)])
  return before !== null && after !== null && Math.abs(before.seconds - after.seconds) <= MOST_APART_S && after.frames >= before.frames * LEAST_FRAMES
}

async function countedIn(input: Input): Promise<{ seconds: number; frames: number } | null> {
  const track = await onlyPicture(input)
  return track && { seconds: await track.computeDuration(), frames: (await track.computePacketStats()).packetCount }
}
