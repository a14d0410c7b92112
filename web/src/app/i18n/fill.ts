/** Puts values in the places written `{name}`. */
export function fill(message: string, params?: Record<string, string | number>): string {
  if (!params) return message
  return message.replace(/\{(\w+)\}/g, (whole, name: string) => (name in params ? String(params[name]) : whole))
}

/** The message under `base.<category>` for this count, falling back to `base.other`. */
export function pickPlural(messages: Record<string, string>, base: string, locale: string, count: number): string {
  const category = new Intl.PluralRules(locale).select(count)
  return messages[`${base}.${category}`] ?? messages[`${base}.other`] ?? base
}
