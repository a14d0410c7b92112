/** What the person's device asks about movement. */
const wish = matchMedia('(prefers-reduced-motion: reduce)')

export function calm(): boolean {
  return wish.matches
}
