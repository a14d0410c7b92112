/**
 * The cell declares what it holds in English sentences. They are shown in the person's language where there are words for them;
 * a sentence that nobody has translated yet is shown as it is, never left out.
 */
import { locale } from '../../app/i18n/index.svelte.ts'

const words = $state<{ french: Record<string, string> | null }>({ french: null })

export function inWords(sentence: string): string {
  if (locale() !== 'fr') return sentence
  if (!words.french) void import('../../app/i18n/held.fr.json').then((told) => (words.french = told.default), () => undefined)
  return words.french?.[sentence] ?? sentence
}
