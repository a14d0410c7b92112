/** A small picture: its sides in pixels, and RGBA of each, row by row. */
export interface Picture {
  width: number
  height: number
  pixels: Uint8ClampedArray<ArrayBuffer>
}

const LONGEST_SIDE = 32
const MOST_WAVES = 7
const COLOUR_WAVES = 3

/**
 * The picture that a ThumbHash (https://evanw.github.io/thumbhash/, in base64) stands for, opaque; null for one that is
 * cut off. The cell makes them in `cell/media/thumbhash.py`.
 */
export function picture(hash: string): Picture | null {
  const bytes = Uint8Array.from(atob(hash), (letter) => letter.charCodeAt(0))
  if (bytes.length < 5) return null
  const head = (from: number, bits: number) => {
    let value = 0
    for (let bit = 0; bit < bits; bit++) value |= ((bytes[(from + bit) >> 3]! >> ((from + bit) & 7)) & 1) << bit
    return value
  }
  const isWide = head(39, 1) === 1
  const shorter = head(24, 3)
  const across = isWide ? MOST_WAVES : shorter
  const down = isWide ? shorter : MOST_WAVES
  if (!shorter) return null
  let at = 0
  const waves = (columns: number, rows: number, scale: number) => {
    const found: number[][] = []
    for (let row = 0; row < rows; row++) {
      const line: number[] = []
      for (let column = 0; column * rows < columns * (rows - row); column++) {
        if (!row && !column) {
          line.push(0)
          continue
        }
        const pair = bytes[5 + (at >> 1)] ?? 0
        line.push((((pair >> ((at++ & 1) << 2)) & 15) / 7.5 - 1) * scale)
      }
      found.push(line)
    }
    return found
  }
  const light = waves(Math.max(3, across), Math.max(3, down), head(18, 5) / 31)
  const yellow = waves(COLOUR_WAVES, COLOUR_WAVES, (head(27, 6) / 63) * 1.25)
  const rose = waves(COLOUR_WAVES, COLOUR_WAVES, (head(33, 6) / 63) * 1.25)
  if (bytes.length < 5 + ((at + 1) >> 1)) return null
  light[0]![0] = head(0, 6) / 63 / 2
  yellow[0]![0] = (head(6, 6) / 31.5 - 1) / 2
  rose[0]![0] = (head(12, 6) / 31.5 - 1) / 2

  const ratio = across / down
  const width = Math.max(1, Math.round(ratio > 1 ? LONGEST_SIDE : LONGEST_SIDE * ratio))
  const height = Math.max(1, Math.round(ratio > 1 ? LONGEST_SIDE / ratio : LONGEST_SIDE))
  const pixels = new Uint8ClampedArray(width * height * 4)
  const cosines = (side: number) => Array.from({ length: side }, (_, place) =>
    Array.from({ length: MOST_WAVES }, (_, wave) => Math.cos((Math.PI / side) * (place + 0.5) * wave)))
  const columns = cosines(width)
  const rows = cosines(height)
  const value = (channel: number[][], x: number, y: number) => {
    let sum = 0
    for (const [row, line] of channel.entries()) for (const [column, wave] of line.entries()) sum += wave * rows[y]![row]! * columns[x]![column]!
    return 2 * sum
  }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const blue = value(light, x, y) - (2 / 3) * value(yellow, x, y)
      const red = (3 * value(light, x, y) - blue + value(rose, x, y)) / 2
      const green = red - value(rose, x, y)
      pixels.set([red * 255, green * 255, blue * 255, 255], (y * width + x) * 4)
    }
  }
  return { width, height, pixels }
}
