/**
 * A session's name in the reader's language. The cell says "Firefox on Android", "Firefox", "An app
 * on iOS" or "An app"; `words` gives the three sentences.
 */
export function device(label: string, words: (key: 'sessions.app' | 'sessions.on', values?: { program: string; system: string }) => string): string {
  const [said, ...rest] = label.split(' on ')
  const program = said === 'An app' ? words('sessions.app') : (said ?? label)
  const system = rest.join(' on ')
  return system ? words('sessions.on', { program, system }) : program
}
