/** What people type, paste or export as contacts, as the addresses that can be looked for. */

export interface Contact {
  /** As it is looked for: `phone:+…` or `email:…`. */
  text: string
  /** What the person calls them; empty where nothing says. */
  name: string
}

export interface Understood {
  contacts: Contact[]
  /** Numbers without a country code, where none was given. */
  without: number
}

/** ITU-T E.164, as the cell takes it. */
const PHONE = /^\+[1-9][0-9]{7,14}$/
const EMAIL = /^[^\s@"(),:;<>[\\\]]{1,64}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}_-]{0,61}[\p{L}\p{N}])?\.)+\p{L}{2,63}$/u
/** Countries whose numbers keep their leading nought. */
const KEEPS_NOUGHT = new Set(['39', '378', '225', '241', '242'])
const CODES = 'AR54 AT43 AU61 BE32 BR55 CA1 CH41 CI225 CL56 CM237 CN86 CO57 CZ420 DE49 DK45 DZ213 EG20 ES34 FI358 FR33 GB44 GR30 HK852 HU36 ID62 IE353 IL972 IN91 IT39 JP81 KR82 LU352 MA212 MX52 MY60 NG234 NL31 NO47 NZ64 PH63 PK92 PL48 PT351 RO40 SE46 SG65 SN221 TH66 TN216 TR90 TW886 UA380 US1 VN84 ZA27'

/** The calling code of a region such as `FR`; empty where it is not known. */
export function callingCode(region: string): string {
  const found = new RegExp(`\\b${region}(\\d+)`).exec(CODES)
  return /^[A-Z]{2}$/.test(region) && found ? `+${found[1]}` : ''
}

/** Every signed-up number begins with one of these; the longest that fits a number. */
export function codeOf(phone: string): string {
  const codes = CODES.split(' ').map((one) => `+${one.slice(2)}`)
  return codes.filter((code) => phone.startsWith(code)).sort((a, b) => b.length - a.length)[0] ?? ''
}

/** A number in its international form; null where it is none, '' where only the country is missing. */
export function phoneOf(typed: string, code: string): string | null {
  const bare = typed.replace(/\(0\)/g, '').replace(/[\s().\-/\u00a0\u202f\u2010-\u2015]/g, '')
  const digits = bare.replace(/^00(?=[1-9])/, '+')
  if (digits.startsWith('+')) return PHONE.test(digits) ? digits : null
  if (!/^[0-9]{6,14}$/.test(digits)) return null
  if (!/^\+[1-9][0-9]{0,3}$/.test(code)) return ''
  const national = KEEPS_NOUGHT.has(code.slice(1)) ? digits : digits.replace(/^0+/, '')
  const whole = code + national
  return PHONE.test(whole) ? whole : null
}

export function emailOf(typed: string): string | null {
  const email = typed.trim().normalize('NFC')
  return email.length <= 254 && EMAIL.test(email) ? email.toLowerCase() : null
}

/** Lines of text: numbers and addresses, each with what stands beside them. Parted by line, comma, semicolon or tab. */
export function fromText(text: string, code: string): Understood {
  const found = new Collected(code)
  for (const line of text.split(/\r?\n/)) {
    let name = ''
    for (const cell of line.split(/[,;\t]/)) {
      const part = cell.trim()
      const email = /[^\s<>"]+@[^\s<>"]+/.exec(part)?.[0]
      const number = email ? null : /\+?[0-9(][0-9\s().\-/\u00a0\u202f]{5,}/.exec(part)?.[0]
      const words = part.replace(email ?? number ?? '', '').replace(/[<>"]/g, '').trim()
      if (words) name = words
      if (email) found.email(email, name)
      else if (number) found.phone(number, name)
    }
  }
  return found
}

/** A vCard file (RFC 6350, and 2.1 and 3.0 as phones write them). */
export function fromVCard(text: string, code: string): Understood {
  const found = new Collected(code)
  // Long lines are folded, in 2.1 with = at their end.
  const lines = text.replace(/\r?\n[ \t]/g, '').replace(/=\r?\n/g, '').split(/\r?\n/)
  let name = ''
  let held: (() => void)[] = []
  for (const line of lines) {
    const colon = line.indexOf(':')
    const [property = '', ...parameters] = line.slice(0, colon).split(';')
    const kind = property.replace(/^[^.]*\./, '').toUpperCase()
    let value = line.slice(colon + 1).trim()
    if (parameters.some((one) => /QUOTED-PRINTABLE/i.test(one))) value = unquoted(value)
    value = value.replace(/\\([,;\\])/g, '$1').replace(/\\n/gi, ' ')
    if (kind === 'BEGIN') [name, held] = ['', []]
    else if (kind === 'FN') name = value
    else if (kind === 'TEL') held.push(() => found.phone(value.replace(/^tel:/i, '').replace(/;.*$/, ''), name))
    else if (kind === 'EMAIL') held.push(() => found.email(value.replace(/^mailto:/i, ''), name))
    else if (kind === 'END') held.splice(0).forEach((put) => put())
  }
  return found
}

/** What the browser's own picker gives (Contact Picker API). */
export function fromPicker(picked: { name?: string[]; tel?: string[]; email?: string[] }[], code: string): Understood {
  const found = new Collected(code)
  for (const one of picked) {
    for (const number of one.tel ?? []) found.phone(number, one.name?.[0] ?? '')
    for (const email of one.email ?? []) found.email(email, one.name?.[0] ?? '')
  }
  return found
}

class Collected implements Understood {
  contacts: Contact[] = []
  without = 0
  private readonly code: string
  private readonly seen = new Set<string>()

  constructor(code: string) {
    this.code = code
  }

  phone(typed: string, name: string): void {
    const phone = phoneOf(typed, this.code)
    if (phone === '') this.without += 1
    else if (phone) this.put(`phone:${phone}`, name)
  }

  email(typed: string, name: string): void {
    const email = emailOf(typed)
    if (email) this.put(`email:${email}`, name)
  }

  private put(text: string, name: string): void {
    if (this.seen.has(text)) return
    this.seen.add(text)
    this.contacts.push({ text, name })
  }
}

function unquoted(value: string): string {
  const bytes = [...value.matchAll(/=([0-9A-F]{2})|[^=]/gi)].map(([sign, hex]) => (hex ? Number.parseInt(hex, 16) : sign.charCodeAt(0)))
  return new TextDecoder().decode(new Uint8Array(bytes))
}
