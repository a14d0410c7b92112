/**
 * Puts values in the places written `{name}`. Where a sentence counts several things, `{name|clip|clips}` is the word that
 * the language has for that count; French says "0 clip" and "1,5 clip".
 */
export function fill(message: string, params?: Record<string, string | number>, locale = 'en'): string {
  if (!params) return message
  return message.replace(/\{(\w+)(?:\|([^{}|]*)\|([^{}|]*))?\}/g, (whole, name: string, one?: string, other?: string) => {
    if (!(name in params)) return whole
    const value = String(params[name])
    if (one === undefined || other === undefined) return value
    return (locale === 'fr' ? /^[01](,\d+)?$/ : /^1$/).test(value) ? one : other
  })
}

/** The message under `base.<category>` for this count, falling back to `base.other`. */
export function pickPlural(messages: Record<string, string>, base: string, locale: string, count: number): string {
  const category = new Intl.PluralRules(locale).select(count)
  return messages[`${base}.${category}`] ?? messages[`${base}.other`] ?? base
}
