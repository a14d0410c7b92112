/** The plain address of a clip: no tracking id, nothing about who shares. */
export function clipAddress(id: string): string {
  return `${location.origin}/c/${id}`
}
