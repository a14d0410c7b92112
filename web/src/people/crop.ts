/** Where the square lies: its centre as shares of the picture's sides, and how many times it is enlarged. */
export interface Place {
  x: number
  y: number
  zoom: number
}

/** The square in the picture's own pixels, never over its edges. */
export function cropSquare(width: number, height: number, place: Place): { x: number; y: number; side: number } {
  const side = Math.min(width, height) / Math.max(1, place.zoom)
  const inside = (centre: number, length: number) => Math.min(Math.max(0, centre * length - side / 2), length - side)
  return { x: inside(place.x, width), y: inside(place.y, height), side }
}
