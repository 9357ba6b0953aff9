// What is to be said of the certificates that a listener shows: each kind of misfit is a finding, and
// has an exit code of its own.
import { hash } from 'node:crypto'
import { isIP } from 'node:net'
import { Refusal, type RefusalCode } from '../errors.ts'
import { formatDuration } from '../duration.ts'
import { quote, showInvisible } from '../quote.ts'
import { nameOf, parseCertificate, type Certificate } from './certificate.ts'
import { requireShort, verifyChain } from './chain.ts'
import { purposeId, type Purpose } from './extensions.ts'
import {
  formatLeft,
  oneLine,
  showCertificate,
  type Rank,
  type ShownCertificate,
} from './shown-certificate.ts'
import { parseSpiffeId, trustDomainOf, type SpiffeId } from './spiffe-id.ts'
import { requireSvid } from './svid.ts'

/** The first one found is the exit code. */
export const misfits = {
  silent: { exitCode: 1, what: 'cannot connect, or it does not answer' },
  chain: { exitCode: 3, what: 'the chain does not lead to a root, or has ended, or there is none' },
  spiffe: { exitCode: 4, what: 'the certificate breaks the rules of SPIFFE' },
  id: { exitCode: 5, what: 'it is for another SPIFFE ID than expected' },
  issuer: { exitCode: 6, what: 'it is from another issuer than expected' },
  end: { exitCode: 7, what: 'less is left of the chain than is wished' },
  unknown: { exitCode: 8, what: 'a connection is by a certificate that nobody here issued' },
  link: { exitCode: 9, what: 'a link is older than the authority that is trusted, or than wished' },
  name: { exitCode: 10, what: 'the certificate is not for the name that was dialled' },
} as const
export type Misfit = keyof typeof misfits

export interface PeerFinding {
  readonly misfit: Misfit
  readonly code: RefusalCode
  readonly message: string
}

export interface PeerWishes {
  /** Those with a URI name vouch for identities, the others for public server names. */
  readonly roots: readonly Certificate[]
  readonly nowMs: number
  /** What was dialled: a public certificate must be for it, and so an identity of which no ID is expected. */
  readonly name: string
  readonly id?: SpiffeId | undefined
  /** A SPIFFE ID, subject, common name, or the SHA-256 of the certificate in hexadecimal. */
  readonly issuer?: string | undefined
  /** Seconds that must be left. */
  readonly failUnder?: Readonly<Partial<Record<Rank, number>>>
}

export interface PeerReport {
  readonly kind: 'identity' | 'public'
  readonly id?: string
  readonly issuer?: string
  readonly certificates: readonly ShownCertificate[]
  readonly findings: readonly PeerFinding[]
}

/** Refuses nothing: whatever is wrong with the chain (in DER, leaf first) is a finding. */
export function judgePeer(shown: readonly Buffer[], wishes: PeerWishes): PeerReport {
  const findings: PeerFinding[] = []
  const attempt: Attempt = (misfit, rule) => {
    try {
      return rule()
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      findings.push({ misfit, code: error.code, message: error.message })
    }
  }
  const chain = attempt('chain', () => parseChain(shown)) ?? []
  const path = chain.length > 0 ? attempt('chain', () => findPath(chain, wishes)) : undefined
  const kind = kindOf(chain, path)
  judgeLeaf({ kind, chain, path }, wishes, attempt)
  const certificates = showAll(shown, path ?? [], wishes.nowMs)
  for (const each of certificates) attempt('end', () => requireLasting(each, wishes))
  const [id] = chain[0]?.names.uris ?? []
  const issuer = certificates[1]?.subject
  return { kind, ...(id && { id }), ...(issuer && { issuer }), certificates, findings }
}

/** For whoever shows nothing; of what else is refused he is not the cause. */
export function findSilent({ code, message }: Refusal): PeerFinding {
  return { misfit: code === 'ERR_PEER_PLAIN' ? 'chain' : 'silent', code, message }
}

/** What was shown, and the root of ours to which it leads. */
function showAll(
  shown: readonly Buffer[],
  path: readonly Certificate[],
  nowMs: number,
): ShownCertificate[] {
  const isShown = (der: Buffer) => shown.some((each) => each.equals(der))
  const above = path.map(({ der }) => der).filter((der) => !isShown(der))
  return [...shown, ...above].map((der, index) =>
    showCertificate(der, { isLeaf: index === 0, isShown: isShown(der), nowMs }),
  )
}

/** 0 without findings. */
export function exitCodeOf(findings: readonly Pick<PeerFinding, 'misfit'>[]): number {
  const codes = findings.map(({ misfit }) => misfits[misfit].exitCode)
  return codes.length === 0 ? 0 : Math.min(...codes)
}

type Attempt = <T>(misfit: Misfit, rule: () => T) => T | undefined

interface Judged {
  readonly kind: PeerReport['kind']
  readonly chain: readonly Certificate[]
  readonly path: readonly Certificate[] | undefined
}

function parseChain(shown: readonly Buffer[]): Certificate[] {
  if (shown.length === 0) throw new Refusal('ERR_CHAIN_EMPTY', 'no certificate was shown')
  requireShort(shown)
  return shown.map(parseCertificate)
}

function findPath(chain: readonly Certificate[], { roots, nowMs }: PeerWishes): Certificate[] {
  return verifyChain(chain, roots, { nowMs, purposes: purposesOf(chain[0]) })
}

/** A leaf that may do both is held to both all the way up. */
function purposesOf(leaf: Certificate | undefined): Purpose[] {
  const { extendedKeyUsage } = leaf ?? {}
  const isServerOnly = extendedKeyUsage?.includes(purposeId.clientAuth) === false
  return isServerOnly ? ['serverAuth'] : ['serverAuth', 'clientAuth']
}

/** By the root; without one, by what the leaf looks like. */
function kindOf([leaf]: readonly Certificate[], path?: readonly Certificate[]): Judged['kind'] {
  const root = path?.at(-1)
  if (root !== undefined) return root.names.uris.length > 0 ? 'identity' : 'public'
  return leaf?.names.uris.length === 0 && purposesOf(leaf).length === 1 ? 'public' : 'identity'
}

function judgeLeaf({ kind, chain, path }: Judged, wishes: PeerWishes, attempt: Attempt): void {
  const [leaf, issuer] = path ?? chain
  if (leaf === undefined) return
  if (kind === 'identity') {
    const id = attempt('spiffe', () => requireSvid(leaf))
    if (id !== undefined && path !== undefined)
      attempt('spiffe', () => requireOwnAuthority(id, path))
    // Who expects an ID knows the peer by it, wherever it is dialled; whoever does not, by its name.
    if (wishes.id === undefined && isIP(wishes.name) === 0)
      attempt('name', () => requireName(leaf, wishes.name))
  } else {
    attempt('spiffe', () => requireNoId(leaf))
    attempt('name', () => requireName(leaf, wishes.name))
  }
  if (wishes.id !== undefined) attempt('id', () => requireId(leaf, wishes.id as SpiffeId))
  if (wishes.issuer !== undefined)
    attempt('issuer', () => requireIssuer(issuer, wishes.issuer as string))
}

/** The authority must be the one of the identity's trust domain, and be held to it. */
function requireOwnAuthority(id: SpiffeId, [, issuer]: readonly Certificate[]): void {
  const uris = issuer?.names.uris ?? []
  const own = `spiffe://${trustDomainOf(id)}`
  const refuse = (rule: string): never => {
    throw new Refusal('ERR_PEER_AUTHORITY', `issuer of ${quote(id)}: ${rule}`)
  }
  if (uris.length !== 1 || parseSpiffeId(uris[0] as string) !== own)
    refuse(`is not ${quote(own)}: ${uris.map(quote).join(', ') || 'no name'}`)
  if (issuer?.nameConstraints === undefined) refuse('has no name constraints')
}

function requireNoId(leaf: Certificate): void {
  if (leaf.names.uris.length > 0)
    throw new Refusal('ERR_PEER_PUBLIC_ID', `an identity from a public authority: ${nameOf(leaf)}`)
}

function requireName({ openssl }: Certificate, name: string): void {
  const found = isIP(name) === 0 ? openssl.checkHost(name) : openssl.checkIP(name)
  if (found === undefined)
    throw new Refusal(
      'ERR_PEER_NAME',
      `not for ${quote(name)}: ${showInvisible(openssl.subjectAltName ?? 'no name')}`,
    )
}

function requireId({ names: { uris } }: Certificate, id: SpiffeId): void {
  if (uris.length !== 1 || uris[0] !== id)
    throw new Refusal('ERR_PEER_ID', `not ${quote(id)}: ${uris.map(quote).join(', ') || 'no ID'}`)
}

function requireIssuer(issuer: Certificate | undefined, wanted: string): void {
  const refuse = (found: string): never => {
    throw new Refusal('ERR_PEER_ISSUER', `issuer is not ${quote(wanted)}: ${found}`)
  }
  if (issuer === undefined) return refuse('none was shown')
  const { openssl, der, names } = issuer
  const [subject, digest] = [oneLine(openssl.subject), hash('sha256', der)]
  const common = [openssl.toLegacyObject().subject.CN ?? []].flat()
  const known = [...names.uris, ...common, subject, digest]
  if (!known.includes(isDigest(wanted) ? plain(wanted) : wanted))
    refuse([...names.uris, subject].map(quote).join(', '))
}

const plain = (digest: string) => digest.replaceAll(':', '').toLowerCase()
const isDigest = (text: string) => /^[0-9a-f]{64}$/.test(plain(text))

function requireLasting(
  { rank, subject, secondsLeft }: ShownCertificate,
  wishes: PeerWishes,
): void {
  const limit = wishes.failUnder?.[rank]
  if (limit !== undefined && secondsLeft < limit)
    throw new Refusal(
      'ERR_PEER_NEAR_END',
      `${rank} ${quote(subject)}: ${formatLeft(secondsLeft)} left, under ${formatDuration(limit)}`,
    )
}
