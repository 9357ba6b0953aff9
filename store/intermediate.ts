// The authority of a region in three steps, each where its key is: the region makes a key and requests,
// the operator signs the request, the region adopts what was signed.
import { randomBytes, type KeyObject } from 'node:crypto'
import { Refusal } from '../core/errors.ts'
import { allKinds, authorityProfile, type AuthorityPlace } from '../core/identity/authority.ts'
import { parseCertificates, type Certificate } from '../core/identity/certificate.ts'
import { readExpectedCsr, requestCertificate } from '../core/identity/csr.ts'
import type { Issuer } from '../core/identity/issue.ts'
import { intermediateSeconds, isIntermediateDue, isOver } from '../core/identity/lifetime.ts'
import {
  intermediateFiles,
  intermediatesFile,
  readCertificates,
  readRoots,
  writeCertificates,
} from './authority-files.ts'
import { formatPrivateKey, makeAuthorityKey, readPlainKey, type KeyPair } from './authority-keys.ts'
import { isAcceptable, readAuthorities, requireAcceptable } from './authorities.ts'
import { publishBundles } from './bundles.ts'
import type { AuthorityStore } from './root.ts'
import { isWithdrawn } from './withdrawn-authorities.ts'

/** The region's request, with a new key unless one waits for its signature already. */
export function requestIntermediate(
  { files, homes }: Pick<AuthorityStore, 'files' | 'homes'>,
  place: AuthorityPlace,
): string {
  const next = intermediateFiles(homes, place, 'next')
  const waiting = readWaiting({ files, homes }, place)
  const known = files.read(next.request)
  if (waiting !== undefined && known !== undefined) return known
  const pair = waiting ?? makeAuthorityKey()
  files.write(next.key, formatPrivateKey(pair.privateKey))
  const request = requestCertificate(pair.privateKey)
  files.write(next.request, request)
  return request
}

/** The key that was requested for, and signs nothing yet. */
export function readWaiting(
  store: Pick<AuthorityStore, 'files' | 'homes'>,
  place: AuthorityPlace,
): KeyPair | undefined {
  const pair = readPlainKey(store.files, intermediateFiles(store.homes, place, 'next').key)
  return pair !== undefined && isAdopted(store, place, pair) ? undefined : pair
}

function isAdopted(
  { files, homes }: Pick<AuthorityStore, 'files' | 'homes'>,
  place: AuthorityPlace,
  { publicKey }: KeyPair,
): boolean {
  const { certificate } = intermediateFiles(homes, place, 'current')
  try {
    return readCertificates(files, certificate).some(({ openssl }) =>
      openssl.publicKey.equals(publicKey),
    )
  } catch (error) {
    if (error instanceof Refusal) return false
    throw error
  }
}

export interface SignedIntermediate {
  readonly certificate: Certificate
  /** False where this key was signed before, and its certificate is good for long enough. */
  readonly isNew: boolean
}

/**
 * Of the request only the public key is taken, after its holder's signature; names and limits are the
 * region's. Refuses a key that somebody else has or that is not the expected one, and a region that is not
 * known.
 */
export async function signIntermediate(
  store: AuthorityStore,
  place: AuthorityPlace,
  {
    request,
    root,
    expected,
  }: {
    readonly request: string
    readonly root: () => Promise<Issuer>
    /** SHA-256 of the key, as the region said it. */
    readonly expected?: string | undefined
  },
): Promise<SignedIntermediate> {
  const { archipelago, nowMs } = store
  const profile = authorityProfile(archipelago, place)
  const publicKey = readExpectedCsr(request, expected)
  requireOwnKey(store, place, publicKey)
  const known = findGood(store, place, publicKey)
  if (known !== undefined) return { certificate: known, isNew: false }
  const issuer = await root()
  const { issueAuthority } = await import('../core/identity/issue.ts')
  const serial = randomBytes(16)
  const certificate = await issueAuthority(publicKey, profile, {
    issuer,
    commonName: `${place.region} ${place.kind} ${serial.toString('hex').slice(0, 8)}`,
    organization: archipelago.network,
    nowMs,
    lifetimeSeconds: intermediateSeconds,
    serial,
  })
  return { certificate, isNew: true }
}

function requireOwnKey(store: AuthorityStore, place: AuthorityPlace, key: KeyObject): void {
  const refuse = (whose: string): never => {
    throw new Refusal('ERR_AUTHORITY_KEY', `key of the request is already that of ${whose}`)
  }
  const { files, homes, archipelago } = store
  const holds = ({ openssl }: Certificate) => openssl.publicKey.equals(key)
  for (const kind of allKinds) {
    if (readRoots(files, homes, kind).some(holds)) refuse(`the ${kind} root`)
    for (const { name: region } of archipelago.regions) {
      const isOwn = region === place.region && kind === place.kind
      if (!isOwn && readAuthorities(store, { kind, region }).some(holds))
        refuse(`${region}, ${kind}`)
    }
  }
}

function findGood(
  store: AuthorityStore,
  place: AuthorityPlace,
  key: KeyObject,
): Certificate | undefined {
  return readAuthorities(store, place).find(
    (certificate) =>
      certificate.openssl.publicKey.equals(key) &&
      !isIntermediateDue(certificate, store.nowMs) &&
      isAcceptable(store, place, certificate),
  )
}

/** Puts it first in what git carries, and into the bundles; what went before stays until its end. */
export function publishIntermediate(
  store: AuthorityStore,
  place: AuthorityPlace,
  certificate: Certificate,
): void {
  const { files, homes, nowMs } = store
  // Once more: somebody else may have published meanwhile.
  requireOwnKey(store, place, certificate.openssl.publicKey)
  if (isWithdrawn(files, { homes, region: place.region })(certificate))
    throw new Refusal(
      'ERR_AUTHORITY_KEY',
      'key of the request is that of an authority that was withdrawn',
    )
  const others = readAuthorities(store, place).filter(
    (known) => !known.der.equals(certificate.der) && !isOver(known, nowMs),
  )
  const path = intermediatesFile(homes.public, place.kind, place.region)
  writeCertificates(files, path, [certificate, ...others])
  publishBundles(store)
}

/** The region takes what was signed for the key that waits; refuses one of another key or other limits. */
export function adoptIntermediate(
  store: AuthorityStore,
  place: AuthorityPlace,
  pem: string,
): Certificate {
  const { files, homes } = store
  const next = intermediateFiles(homes, place, 'next')
  const current = intermediateFiles(homes, place, 'current')
  const [certificate, ...more] = parseCertificates(pem)
  if (certificate === undefined || more.length > 0)
    throw new Refusal('ERR_PEM_ILLEGAL', 'not exactly one certificate')
  requireAcceptable(store, place, certificate)
  const pair = readPlainKey(files, next.key)
  if (!pair?.publicKey.equals(certificate.openssl.publicKey))
    throw new Refusal('ERR_AUTHORITY_KEY', `certificate is for another key than ${next.key}`)
  files.write(current.key, formatPrivateKey(pair.privateKey))
  writeCertificates(files, current.certificate, [certificate])
  return certificate
}

/** Whether the region signs in a home on this machine. */
export const isHere = (
  { files, homes }: Pick<AuthorityStore, 'files' | 'homes'>,
  place: AuthorityPlace,
): boolean => files.read(intermediateFiles(homes, place, 'current').key) !== undefined

/** The same; undefined also where it is to be replaced, for too little is left. */
export function readIntermediate(store: AuthorityStore, place: AuthorityPlace): Issuer | undefined {
  const issuer = readSigning(store, place)
  return issuer && isIntermediateDue(issuer.certificate, store.nowMs) ? undefined : issuer
}

/**
 * What signs leaves in this region now; undefined where there is none that anybody accepts. Refuses, with
 * both clocks, one that is to begin: a clock that was put back is no reason to replace it.
 */
export function readSigning(store: AuthorityStore, place: AuthorityPlace): Issuer | undefined {
  const { files, homes } = store
  const current = intermediateFiles(homes, place, 'current')
  try {
    const [certificate] = readCertificates(files, current.certificate)
    const pair = readPlainKey(files, current.key)
    if (certificate === undefined || pair === undefined) return undefined
    requireAcceptable(store, place, certificate)
    const isGood =
      pair.publicKey.equals(certificate.openssl.publicKey) &&
      !isWithdrawn(files, { homes, region: place.region })(certificate)
    return isGood ? { certificate, key: pair.privateKey } : undefined
  } catch (error) {
    // What cannot be read, or does not belong together, is as good as missing.
    if (error instanceof Refusal && error.code !== 'ERR_CERTIFICATE_NOT_YET_VALID') return undefined
    throw error
  }
}
