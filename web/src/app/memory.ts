/** Small settings kept in this browser only. A browser that forbids storage just forgets them. */
export function recall(name: string): string | null {
  try {
    return localStorage.getItem(`luciole.${name}`)
  } catch {
    return null
  }
}

export function remember(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`luciole.${name}`)
    else localStorage.setItem(`luciole.${name}`, value)
  } catch {
    // Private windows of some browsers refuse: nothing depends on it.
  }
}
