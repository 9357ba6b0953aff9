// SPIFFE IDs by the grammar of SPIFFE-ID.md section 2. A URL class would keep upper case and ports, and
// resolve dot segments: two texts for one identity.
import { Refusal } from '../errors.ts'
import { quote } from '../quote.ts'

export type TrustDomain = string & { readonly brand: 'TrustDomain' }
/** One text for one identity, so `===` compares. */
export type SpiffeId = string & { readonly brand: 'SpiffeId' }

const scheme = 'spiffe://'
const idBytesMax = 2048
const trustDomainBytesMax = 255

/** Without a path it names the trust domain itself, as only a certificate authority may be called. */
export function parseSpiffeId(text: string): SpiffeId {
  if (!text.startsWith(scheme)) throw refusal('ERR_SPIFFE_ID_SCHEME', 'not spiffe://', text)
  if (text.length > idBytesMax)
    throw refusal('ERR_SPIFFE_ID_TOO_LONG', `over ${idBytesMax} bytes`, text)
  const [domain, path] = split(text)
  requireDomain(domain, text)
  requirePath(path, text)
  return text as SpiffeId
}

export function parseTrustDomain(text: string): TrustDomain {
  requireDomain(text, text)
  return text as TrustDomain
}

/** Refuses segments that a SPIFFE ID cannot have; none means the trust domain itself. */
export function formatSpiffeId(domain: TrustDomain, ...segments: readonly string[]): SpiffeId {
  const text = `${scheme}${[domain, ...segments].join('/')}`
  for (const segment of segments) requireSegment(segment, text)
  return parseSpiffeId(text)
}

export function trustDomainOf(id: SpiffeId): TrustDomain {
  return split(id)[0] as TrustDomain
}

/** With its leading slash; empty for the trust domain itself. */
export function pathOf(id: SpiffeId): string {
  return split(id)[1]
}

function split(text: string): [domain: string, path: string] {
  const rest = text.slice(scheme.length)
  const slash = rest.indexOf('/')
  return slash === -1 ? [rest, ''] : [rest.slice(0, slash), rest.slice(slash)]
}

function requireDomain(domain: string, text: string): void {
  const isLegal = /^[a-z0-9._-]+$/.test(domain) && domain.length <= trustDomainBytesMax
  const rule = `trust domain is not of a-z, 0-9, ., _ and -, at most ${trustDomainBytesMax}`
  if (!isLegal) throw refusal('ERR_SPIFFE_ID_TRUST_DOMAIN', rule, text)
}

function requirePath(path: string, text: string): void {
  if (path === '') return
  for (const segment of path.slice(1).split('/')) requireSegment(segment, text)
}

function requireSegment(segment: string, text: string): void {
  if (segment === '') throw refusal('ERR_SPIFFE_ID_SEGMENT_EMPTY', 'empty path segment', text)
  if (segment === '.' || segment === '..')
    throw refusal('ERR_SPIFFE_ID_SEGMENT_DOTS', 'dot segment', text)
  if (!/^[A-Za-z0-9._-]+$/.test(segment))
    throw refusal('ERR_SPIFFE_ID_SEGMENT', 'path is not of A-Z, a-z, 0-9, ., _ and -', text)
}

const refusal = (code: ConstructorParameters<typeof Refusal>[0], rule: string, text: string) =>
  new Refusal(code, `illegal SPIFFE ID: ${rule}: ${quote(text)}`)
