// application/x-www-form-urlencoded as OAuth has it (RFC 6749 appendix B), read by the letter: what
// one reader would guess another guesses differently.
import { Refusal } from '../errors.ts'
import { quote } from '../quote.ts'

export type Form = ReadonlyMap<string, readonly string[]>

const parametersMax = 32

/** Values in their order, without empty ones, which count as left out (RFC 6749 section 3.2). */
export function parseForm(bytes: Uint8Array): Form {
  const form = new Map<string, string[]>()
  const pairs = decodeUtf8(bytes).split('&')
  if (pairs.length > parametersMax) throw illegal(`over ${parametersMax} parameters`)
  for (const pair of pairs) {
    if (pair === '') continue
    const at = pair.includes('=') ? pair.indexOf('=') : pair.length
    const [name, value] = [decode(pair.slice(0, at)), decode(pair.slice(at + 1))]
    if (value !== '') form.set(name, [...(form.get(name) ?? []), value])
  }
  return form
}

/** The one value, if there is any; refuses two (RFC 6749 section 3.2). */
export function single(form: Form, name: string): string | undefined {
  const [value, ...more] = form.get(name) ?? []
  if (more.length > 0) throw new Refusal('ERR_FORM_TWICE', `parameter stands twice: ${quote(name)}`)
  return value
}

/** The inverse of parseForm for parameters that stand once. */
export function formatForm(parameters: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined)
  return new URLSearchParams(given as [string, string][]).toString()
}

/** Says nothing of what was sent: it may be a token in the wrong place. */
function decode(text: string): string {
  if (!/^(?:[!-$'-~]|%[0-9A-Fa-f]{2})*$/.test(text)) throw illegal('not urlencoded')
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw illegal('not UTF-8')
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw illegal('not UTF-8')
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const illegal = (what: string) => new Refusal('ERR_FORM_ILLEGAL', `illegal form: ${what}`)
