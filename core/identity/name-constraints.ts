// What a certificate authority may name (RFC 5280 section 4.2.1.10): URIs by host, DNS names and IP
// addresses. A constraint on anything else, which we could not hold, is refused.
import { Refusal, type RefusalCode } from '../errors.ts'
import { quote } from '../quote.ts'
import { contextTag, derTag, encodeDer, readInside, type Der } from './der.ts'
import {
  encodeName,
  formatIp,
  nameTag,
  parseIp,
  readAscii,
  type AlternativeNames,
} from './general-name.ts'

export interface Subtrees {
  /** Hosts: this one, or with a leading dot all below it. */
  readonly uris: readonly string[]
  /** Names: this one and all below it. */
  readonly dns: readonly string[]
  /** `address/bits`. */
  readonly ips: readonly string[]
}
/** Of a kind without permitted subtrees all is permitted that is not excluded. */
export interface NameConstraints {
  readonly permitted: Subtrees
  readonly excluded: Subtrees
}

export const noSubtrees: Subtrees = { uris: [], dns: [], ips: [] }

const permittedTag = contextTag(0, true)
const excludedTag = contextTag(1, true)

export function readNameConstraints(extension: Der): NameConstraints {
  const parts = readInside(extension)
  const [first, second] = parts
  const isOrdered =
    first !== undefined &&
    (parts.length === 1 || (first.tag === permittedTag && second?.tag === excludedTag))
  const known = parts.every(({ tag }) => tag === permittedTag || tag === excludedTag)
  if (!isOrdered || !known || parts.length > 2) throw illegal('neither permitted nor excluded')
  const of = (tag: number) => readSubtrees(parts.find((part) => part.tag === tag))
  return { permitted: of(permittedTag), excluded: of(excludedTag) }
}

function readSubtrees(element: Der | undefined): Subtrees {
  if (element === undefined) return noSubtrees
  const bases = readInside(element, element.tag).map(readBase)
  if (bases.length === 0) throw illegal('an empty list')
  const of = (tag: number) => bases.filter((base) => base.tag === tag).map(({ content }) => content)
  return {
    uris: of(nameTag.uri).map(readHost),
    dns: of(nameTag.dns).map(readHost),
    ips: of(nameTag.ip).map(readRange),
  }
}

function readBase(subtree: Der): Der {
  const [base, ...limits] = readInside(subtree)
  const known: readonly number[] = Object.values(nameTag)
  if (base === undefined || limits.length > 0) throw illegal('a minimum or maximum')
  if (!known.includes(base.tag)) throw illegal(`kind of name: ${base.tag & 0x1f}`)
  return base
}

function readHost(bytes: Buffer): string {
  const host = readAscii(bytes)
  if (!/^\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/i.test(host)) throw illegal(`host: ${quote(host)}`)
  return host.toLowerCase()
}

function readRange(bytes: Buffer): string {
  const half = bytes.length / 2
  const [address, mask] = [bytes.subarray(0, half), bytes.subarray(half)]
  const bits = [...mask].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  if ((half !== 4 && half !== 16) || !/^1*0*$/.test(bits)) throw illegal('IP range')
  return `${formatIp(address)}/${bits.replaceAll('0', '').length}`
}

/** The inverse of readNameConstraints. A TypeError for a range that is none. */
export function encodeNameConstraints({ permitted, excluded }: NameConstraints): Buffer {
  return encodeDer(
    derTag.sequence,
    encodeSubtrees(permittedTag, permitted),
    encodeSubtrees(excludedTag, excluded),
  )
}

function encodeSubtrees(tag: number, { uris, dns, ips }: Subtrees): Buffer {
  const bases = [
    ...uris.map((host) => encodeName('uri', host)),
    ...dns.map((name) => encodeName('dns', name)),
    ...ips.map((range) => encodeName('ip', encodeRange(range))),
  ]
  if (bases.length === 0) return Buffer.alloc(0)
  return encodeDer(tag, ...bases.map((base) => encodeDer(derTag.sequence, base)))
}

function encodeRange(range: string): Buffer {
  const { address, bits } = parseRange(range)
  const mask = Array.from(address, (_, index) => maskByte(bits - 8 * index))
  return Buffer.concat([address, Buffer.from(mask)])
}

function parseRange(range: string): { address: Buffer; bits: number } {
  const [text = '', size] = range.split('/')
  return { address: parseIp(text), bits: Number(size) }
}

const maskByte = (bits: number) => 0xff & (0xff00 >> Math.max(0, Math.min(8, bits)))

/** Refuses the first name that is not permitted or is excluded; each kind has its code. */
export function requirePermitted(names: AlternativeNames, constraints: NameConstraints): void {
  for (const uri of names.uris) require('uris', hostOf(uri), uri, constraints)
  for (const name of names.dns) require('dns', name, name, constraints)
  for (const ip of names.ips) require('ips', formatIp(ip), formatIp(ip), constraints)
}

const codes: Record<keyof Subtrees, RefusalCode> = {
  uris: 'ERR_CHAIN_NAME_URI',
  dns: 'ERR_CHAIN_NAME_DNS',
  ips: 'ERR_CHAIN_NAME_IP',
}

function require(
  kind: keyof Subtrees,
  name: string,
  shown: string,
  { permitted, excluded }: NameConstraints,
): void {
  const isIn = (subtree: string) => isWithin[kind](name, subtree)
  if (excluded[kind].some((subtree) => isIn(subtree) || covers(kind, name, subtree)))
    throw new Refusal(codes[kind], `name excluded by its authority: ${quote(shown)}`)
  if (permitted[kind].length > 0 && !permitted[kind].some(isIn))
    throw new Refusal(codes[kind], `name not permitted by its authority: ${quote(shown)}`)
}

const isWithin: Record<keyof Subtrees, (name: string, subtree: string) => boolean> = {
  uris: (host, subtree) => (subtree.startsWith('.') ? host.endsWith(subtree) : host === subtree),
  dns: (name, subtree) =>
    name === subtree || name.endsWith(subtree.startsWith('.') ? subtree : `.${subtree}`),
  ips: (ip, range) => {
    const { address, bits } = parseRange(range)
    const bytes = parseIp(ip)
    const differs = (byte: number, index: number) =>
      ((byte ^ (address[index] as number)) & maskByte(bits - 8 * index)) !== 0
    return bytes.length === address.length && !bytes.some(differs)
  },
}

/** `*.example` stands for `secret.example` too. */
function covers(kind: keyof Subtrees, name: string, subtree: string): boolean {
  return kind === 'dns' && name.startsWith('*.') && subtree.endsWith(name.slice(1))
}

/** What cannot be compared is not let through: no user, no port, no host in brackets. */
function hostOf(uri: string): string {
  const [, host] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]+)/i.exec(uri) ?? []
  if (host === undefined || !/^[a-z0-9._-]+$/i.test(host))
    throw new Refusal('ERR_CHAIN_NAME_URI', `URI without a host: ${quote(uri)}`)
  return host.toLowerCase()
}

const illegal = (what: string) =>
  new Refusal('ERR_NAME_CONSTRAINTS', `illegal name constraints: ${what}`)
