/**
 * Fails when a key, a placeholder or an error code is missing in either language, when a key is used by nobody, or when a
 * French sign could begin a line.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = new URL('../src/', import.meta.url).pathname
const problems: string[] = []

function read<T>(name: string): Record<string, T> {
  return JSON.parse(readFileSync(join(root, 'app/i18n', name), 'utf8')) as Record<string, T>
}

function compare<T>(first: string, second: string, places: (value: T) => string): void {
  const [a, b] = [read<T>(first), read<T>(second)]
  for (const [key, value] of Object.entries(a)) {
    const other = b[key]
    if (other === undefined) problems.push(`${second}: "${key}" is missing`)
    else if (places(value) !== places(other)) problems.push(`${second}: "${key}" has other placeholders than ${first}`)
  }
  for (const key of Object.keys(b)) if (!(key in a)) problems.push(`${first}: "${key}" is missing`)
}

/** Words that come with the pages that need them. */
const CHAPTERS = ['abroad', 'away', 'console', 'contacts', 'family', 'rights', 'foryou', 'glass', 'joining', 'kept', 'making', 'messages', 'notices', 'notify', 'review', 'safety', 'staff', 'talk']
const placeholders = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort().join()
compare<string>('en.json', 'fr.json', placeholders)
for (const chapter of CHAPTERS) compare<string>(`${chapter}.en.json`, `${chapter}.fr.json`, placeholders)
compare<{ sentence?: string; next_step?: string }>('errors.en.json', 'errors.fr.json', (told) =>
  [typeof told.sentence, typeof told.next_step].join(),
)

// French keeps a space before these signs, which no line may break at: U+202F before ; ! and ?, U+00A0 before : and inside « ».
for (const name of ['fr.json', 'errors.fr.json', 'held.fr.json', ...CHAPTERS.map((chapter) => `${chapter}.fr.json`)]) {
  for (const [key, told] of Object.entries(read<unknown>(name))) {
    if (/ [;:!?»]|« |[\d}] [MGK]i?o\b/.test(JSON.stringify(told))) problems.push(`${name}: "${key}" has a space where a line could break before a sign or a unit`)
  }
}

const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(svelte|ts)$/.test(name))
  .map((name) => readFileSync(join(root, name), 'utf8'))
  .join('\n')
// A key that is put together from a value is written as a template: `audience.${value}.hint`.
const templates = [...sources.matchAll(/`([a-z][a-z-]*\.[^`\s]*\$\{[^`]*)`/g)].map(
  ([, text]) => new RegExp(`^${(text ?? '').replaceAll('.', '\\.').replace(/\$\{[^}]*\}/g, '.+')}$`),
)
for (const key of ['en.json', ...CHAPTERS.map((chapter) => `${chapter}.en.json`)].flatMap((name) => Object.keys(read(name)))) {
  const base = key.replace(/\.(one|many|other)$/, '')
  const used = [key, base].some((name) => sources.includes(`'${name}'`)) || templates.some((template) => template.test(key))
  if (!used) problems.push(`en.json: "${key}" is used by nobody`)
}

for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exit(1)
console.log('Both languages are complete.')
