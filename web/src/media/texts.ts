/** Text on a film: where it is, how large, in which colour; drawn here by this device's own fonts, in whatever script, and sent as a picture. */

export interface FilmText {
  words: string
  /** The middle of the text, in shares of the film. */
  x: number
  y: number
  /** The height of a line, in shares of the film's short side. */
  size: number
  colour: Colour
}

export const COLOURS = ['white', 'black', 'lime', 'coral', 'sky'] as const
export type Colour = (typeof COLOURS)[number]
export const PAINT: Record<Colour, string> = { white: '#ffffff', black: '#14170d', lime: '#d9f25b', coral: '#ff7a66', sky: '#7cc8ff' }
const EDGE: Record<Colour, string> = { white: 'rgb(0 0 0 / 0.65)', black: 'rgb(255 255 255 / 0.8)', lime: 'rgb(0 0 0 / 0.65)', coral: 'rgb(0 0 0 / 0.65)', sky: 'rgb(0 0 0 / 0.65)' }

export const MOST_TEXTS = 5
export const MOST_WORDS = 120
export const SIZES = { least: 0.04, most: 0.2, step: 0.01 }
const FONT = "700 {size}px -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Noto Color Emoji', sans-serif"
const LINE = 1.2
const MARGIN = 0.04
/** Short sides that are tried, until the picture is small enough for the cell. */
const SIDES = [1080, 720, 540]
/** The halves of a duet are 540 wide. */
const DUET_SIDES = [540, 360]
const MOST_BYTES = 256 * 1024

export function newText(count: number): FilmText {
  return { words: '', x: 0.5, y: Math.min(0.85, 0.25 + 0.15 * count), size: 0.09, colour: 'white' }
}

export function isShown(text: FilmText): boolean {
  return text.words.trim() !== ''
}

/** The words in lines that fit; `width` says how wide a text is. A word that is too long stands alone. */
export function lines(words: string, mostWidth: number, width: (text: string) => number): string[] {
  const found: string[] = []
  for (const paragraph of words.split('\n')) {
    let line = ''
    for (const word of paragraph.split(/ +/)) {
      const longer = line ? `${line} ${word}` : word
      if (line && width(longer) > mostWidth) {
        found.push(line)
        line = word
      } else line = longer
    }
    found.push(line)
  }
  return found
}

/** Draws the texts over a film of the canvas's size; the same for the preview and for the cell. */
export function drawTexts(canvas: HTMLCanvasElement | OffscreenCanvas, texts: readonly FilmText[]): void {
  const brush = canvas.getContext('2d') as CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D | null
  if (!brush) return
  brush.clearRect(0, 0, canvas.width, canvas.height)
  const side = Math.min(canvas.width, canvas.height)
  for (const text of texts.filter(isShown)) {
    const size = text.size * side
    brush.font = FONT.replace('{size}', String(size))
    brush.textAlign = 'center'
    brush.textBaseline = 'middle'
    brush.lineJoin = 'round'
    brush.lineWidth = size * 0.14
    brush.strokeStyle = EDGE[text.colour]
    brush.fillStyle = PAINT[text.colour]
    const rows = lines(text.words.trim(), canvas.width * (1 - 2 * MARGIN), (row) => brush.measureText(row).width)
    rows.forEach((row, index) => {
      const y = text.y * canvas.height + (index - (rows.length - 1) / 2) * size * LINE
      brush.strokeText(row, text.x * canvas.width, y)
      brush.fillText(row, text.x * canvas.width, y)
    })
  }
}

/** The size of the picture for a film of that size, with that short side. */
export function layerSize(film: { width: number; height: number }, side: number): { width: number; height: number } {
  const share = side / Math.min(film.width, film.height)
  const most = 1920 / Math.max(film.width, film.height)
  const by = Math.min(share, most)
  return { width: Math.max(16, Math.round(film.width * by)), height: Math.max(16, Math.round(film.height * by)) }
}

/** One half of a duet, which is what its author may write on: their own, at the left. */
export const HALF = { width: 9, height: 16 }

/** The size of the picture over a whole duet, of which the half that is written on has that short side. */
export function duetSize(side: number): { width: number; height: number } {
  const half = layerSize(HALF, side)
  return { width: 2 * half.width, height: half.height }
}

/** The texts as one PNG in base64, as the cell takes it; null where there is nothing to draw. In a duet they are over the left half. */
export async function layerOf(texts: readonly FilmText[], film: { width: number; height: number }, isDuet = false): Promise<string | null> {
  if (!texts.some(isShown)) return null
  for (const side of isDuet ? DUET_SIDES : SIDES) {
    const canvas = document.createElement('canvas')
    Object.assign(canvas, isDuet ? duetSize(side) : layerSize(film, side))
    if (isDuet) {
      const half = document.createElement('canvas')
      Object.assign(half, layerSize(HALF, side))
      drawTexts(half, texts)
      canvas.getContext('2d')?.drawImage(half, 0, 0)
    } else drawTexts(canvas, texts)
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'))
    if (blob && blob.size <= MOST_BYTES) return base64(new Uint8Array(await blob.arrayBuffer()))
  }
  throw new Error('too much text')
}

function base64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000))
  return btoa(text)
}
