/** Looks into a video file on the device: how long it is, and some of its frames. */

export interface Probed {
  durationMs: number
  width: number
  height: number
}

const WAIT_MS = 8000

function quietVideo(url: string): HTMLVideoElement {
  const video = document.createElement('video')
  video.muted = true
  video.playsInline = true
  video.preload = 'auto'
  video.src = url
  return video
}

function once(target: HTMLVideoElement, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('too slow')), WAIT_MS)
    const settle = (act: () => void) => () => {
      clearTimeout(timer)
      act()
    }
    target.addEventListener(name, settle(resolve), { once: true })
    target.addEventListener('error', settle(() => reject(new Error('unreadable'))), { once: true })
  })
}

async function seek(video: HTMLVideoElement, seconds: number): Promise<void> {
  const done = once(video, 'seeked')
  video.currentTime = seconds
  await done
}

/** Null when this browser cannot read the file; the cell may still be able to. */
export async function probe(url: string): Promise<Probed | null> {
  const video = quietVideo(url)
  try {
    await once(video, 'loadedmetadata')
    if (!Number.isFinite(video.duration)) {
      // A recording of MediaRecorder does not say how long it is until its end was looked at.
      const known = once(video, 'durationchange')
      video.currentTime = 1e9
      await known
    }
    if (!Number.isFinite(video.duration) || video.duration <= 0 || video.videoWidth === 0) return null
    return { durationMs: Math.round(video.duration * 1000), width: video.videoWidth, height: video.videoHeight }
  } catch {
    return null
  } finally {
    video.removeAttribute('src')
    video.load()
  }
}

/** Draws `count` frames side by side into `canvas`, one after the other. */
export async function drawStrip(canvas: HTMLCanvasElement, url: string, durationMs: number, count: number, signal: AbortSignal): Promise<void> {
  const brush = canvas.getContext('2d')
  if (!brush) return
  const video = quietVideo(url)
  try {
    await once(video, 'loadeddata')
    const cell = canvas.width / count
    for (let at = 0; at < count && !signal.aborted; at += 1) {
      await seek(video, ((at + 0.5) / count) * (durationMs / 1000))
      const scale = Math.max(cell / video.videoWidth, canvas.height / video.videoHeight)
      const [width, height] = [video.videoWidth * scale, video.videoHeight * scale]
      brush.save()
      brush.beginPath()
      brush.rect(at * cell, 0, cell, canvas.height)
      brush.clip()
      brush.drawImage(video, at * cell + (cell - width) / 2, (canvas.height - height) / 2, width, height)
      brush.restore()
    }
  } catch {
    // A strip with holes still works as a ruler.
  } finally {
    video.removeAttribute('src')
    video.load()
  }
}
