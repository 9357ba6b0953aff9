// The names of a certificate (RFC 5280 section 4.2.1.6), as far as an identity may have them.
import { isIPv6 } from 'node:net'
import { Refusal } from '../errors.ts'
import { quote } from '../quote.ts'
import { contextTag, encodeDer, readInside, type Der } from './der.ts'

export interface AlternativeNames {
  readonly uris: readonly string[]
  readonly dns: readonly string[]
  /** Four bytes or sixteen. */
  readonly ips: readonly Buffer[]
  /** Tags of the other kinds: mail addresses, directory names and so on. */
  readonly others: readonly number[]
}

export const nameTag = { dns: contextTag(2), uri: contextTag(6), ip: contextTag(7) } as const

export function readAlternativeNames(extension: Der): AlternativeNames {
  const names = readInside(extension)
  if (names.length === 0) throw illegal('no name', '')
  const of = (tag: number) => names.filter((name) => name.tag === tag)
  const known: readonly number[] = Object.values(nameTag)
  return {
    uris: of(nameTag.uri).map(({ content }) => readAscii(content)),
    dns: of(nameTag.dns).map(({ content }) => readDnsName(content)),
    ips: of(nameTag.ip).map(({ content }) => readIp(content)),
    others: names.map(({ tag }) => tag).filter((tag) => !known.includes(tag)),
  }
}

export function readAscii(bytes: Buffer): string {
  if (bytes.some((byte) => byte <= 0x20 || byte >= 0x7f))
    throw illegal('not printable ASCII', bytes.toString('latin1'))
  return bytes.toString('latin1')
}

const labels = /^(\*\.)?([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$/i

function readDnsName(bytes: Buffer): string {
  const name = readAscii(bytes)
  const isLegal = labels.test(name) && name.length <= 253 && !/[^.]{64}/.test(name)
  if (!isLegal) throw illegal('DNS name', name)
  return name.toLowerCase()
}

function readIp(bytes: Buffer): Buffer {
  if (bytes.length !== 4 && bytes.length !== 16) throw illegal('IP address', bytes.toString('hex'))
  return bytes
}

/** An address as text: its four or sixteen bytes. A TypeError for what is no address. */
export function parseIp(text: string): Buffer {
  const bytes = isIPv6(text) ? parseIpv6(text) : text.split('.').map(Number)
  const isWhole = bytes.length === 16 || (bytes.length === 4 && /^\d+(\.\d+){3}$/.test(text))
  if (!isWhole || bytes.some((byte) => byte > 255)) throw new TypeError(`no IP address: '${text}'`)
  return Buffer.from(bytes)
}

function parseIpv6(text: string): number[] {
  if (/[.%]/.test(text)) throw new TypeError(`not in hexadecimal groups alone: '${text}'`)
  const [head = [], tail] = text.split('::').map((part) => (part === '' ? [] : part.split(':')))
  const zeros = Array.from({ length: 8 - head.length - (tail?.length ?? 0) }, () => '0')
  const groups = tail === undefined ? head : [...head, ...zeros, ...tail]
  return groups.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff])
}

/** Four bytes in dots, sixteen as RFC 5952 writes them. */
export function formatIp(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups = (bytes.toString('hex').match(/.{4}/g) ?? []).map((group) => parseInt(group, 16))
  const text = groups.map((group) => group.toString(16)).join(':')
  const [longest] = (text.match(/\b0(:0)+\b/g) ?? []).toSorted((a, b) => b.length - a.length)
  if (longest === undefined) return text
  return text.replace(new RegExp(`(^|:)${longest}(:|$)`), '::')
}

export function encodeName(kind: keyof typeof nameTag, value: string | Buffer): Buffer {
  return encodeDer(nameTag[kind], typeof value === 'string' ? Buffer.from(value, 'latin1') : value)
}

const illegal = (rule: string, name: string) =>
  new Refusal('ERR_CERTIFICATE_NAME', `illegal name in a certificate: ${rule}: ${quote(name)}`)
