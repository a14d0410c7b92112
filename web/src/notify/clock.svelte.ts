import { locale } from '../app/i18n/index.svelte.ts'

/** A full hour as the person's language writes it: "6 pm", "18 h". */
export function clock(hour: number): string {
  return new Intl.DateTimeFormat(locale(), { hour: 'numeric' }).format(new Date(2026, 0, 1, hour))
}
