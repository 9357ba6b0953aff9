import { Refusal } from '../errors.ts'

export type PemLabel = 'CERTIFICATE' | 'CERTIFICATE REQUEST'

const charactersMax = 1024 * 1024
const block = /^-----BEGIN ([A-Z0-9 ]+)-----\n((?:[A-Za-z0-9+/]{1,76}={0,2}\n)+)-----END \1-----$/

/** At least one block, all of this label; between them may be empty lines, and nothing else. */
export function parsePem(label: PemLabel, text: string): Buffer[] {
  if (text.length > charactersMax) throw illegal(label, `over ${charactersMax} characters`)
  const blocks = text
    .replaceAll('\r\n', '\n')
    .split(/(?<=^-----END [A-Z0-9 ]+-----)\n/m)
    .map((each) => each.trim())
    .filter((each) => each !== '')
  if (blocks.length === 0) throw illegal(label, 'empty')
  return blocks.map((each) => parseBlock(label, each))
}

/** The one block of a text. */
export function parseOnePem(label: PemLabel, text: string): Buffer {
  const [first, ...more] = parsePem(label, text)
  if (first === undefined || more.length > 0) throw illegal(label, `${more.length + 1} blocks`)
  return first
}

export function formatPem(label: PemLabel, der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .match(/.{1,64}/g) as string[]
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}

function parseBlock(label: PemLabel, text: string): Buffer {
  const [, found, body = ''] = block.exec(text) ?? []
  if (found !== label) throw illegal(label, found ?? 'not a block')
  const base64 = body.replaceAll('\n', '')
  const der = Buffer.from(base64, 'base64')
  if (der.toString('base64') !== base64) throw illegal(label, 'base64')
  return der
}

const illegal = (label: PemLabel, what: string) =>
  new Refusal('ERR_PEM_ILLEGAL', `illegal PEM, not ${label}: ${what}`)
