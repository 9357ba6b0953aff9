// Makes certificates of the project's profiles. Loading the library takes 80 ms, so callers import this
// file where something has to be signed, and not before.
import 'reflect-metadata'
import { hash, type KeyObject } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { Refusal } from '../errors.ts'
import { formatTime, thisClock } from '../time.ts'
import { parseCertificate, type Certificate } from './certificate.ts'
import { skewMs } from './chain.ts'
import { readBits, readDer, readInside } from './der.ts'
import { extensionId, purposeId, type Purpose } from './extensions.ts'
import { encodeNameConstraints, type NameConstraints } from './name-constraints.ts'
import { formatSpiffeId, pathOf, type SpiffeId, type TrustDomain } from './spiffe-id.ts'

export interface Issuer {
  readonly certificate: Certificate
  readonly key: KeyObject
}
/** What a certificate of any kind needs from outside. */
export interface Issuance {
  readonly commonName: string
  readonly organization?: string
  readonly nowMs: number
  readonly lifetimeSeconds: number
  /** Random, 8 to 20 bytes: of the first bit no use is made. */
  readonly serial: Uint8Array
}
/** What the authority below a root may name. */
export interface AuthorityProfile {
  /** What it says of itself; absent where its leaves have no URIs. */
  readonly trustDomain?: TrustDomain
  /** Of its leaves; absent where nothing limits them. */
  readonly purposes?: readonly Purpose[]
  readonly nameConstraints: NameConstraints
}
export interface LeafProfile {
  /** Without it a server's certificate for outside clients. */
  readonly id?: SpiffeId
  readonly dns: readonly string[]
  /** Addresses as text. */
  readonly ips: readonly string[]
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const { keyCertSign, cRLSign, digitalSignature } = x509.KeyUsageFlags

/** Self-signed, P-256. With a trust domain it signs authorities of identities. */
export async function issueRoot(
  key: { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
  issuance: Issuance & { readonly trustDomain?: TrustDomain },
): Promise<Certificate> {
  const { trustDomain } = issuance
  return sign(key.publicKey, {
    issuer: { key: key.privateKey },
    issuance,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
      ...domainName(trustDomain),
    ],
  })
}

/** An authority that signs leaves and no other authority. */
export async function issueAuthority(
  publicKey: KeyObject,
  profile: AuthorityProfile,
  { issuer, ...issuance }: Issuance & { readonly issuer: Issuer },
): Promise<Certificate> {
  const { trustDomain, purposes, nameConstraints } = profile
  const constraints = encodeNameConstraints(nameConstraints)
  return sign(publicKey, {
    issuer,
    issuance,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
      ...(purposes === undefined
        ? []
        : [new x509.ExtendedKeyUsageExtension(purposes.map((purpose) => purposeId[purpose]))]),
      ...domainName(trustDomain),
      new x509.Extension(extensionId.nameConstraints, true, constraints),
    ],
  })
}

/** An X.509-SVID with exactly one URI name, or a server's certificate with none. */
export async function issueLeaf(
  publicKey: KeyObject,
  { id, dns, ips }: LeafProfile,
  { issuer, ...issuance }: Issuance & { readonly issuer: Issuer },
): Promise<Certificate> {
  if (id !== undefined && pathOf(id) === '')
    throw new Refusal('ERR_SVID_PATH', `SVID '${id}': a trust domain without a path`)
  const wildcard = dns.find((name) => name.includes('*'))
  if (wildcard !== undefined)
    throw new Refusal('ERR_CERTIFICATE_NAME', `name of more than one holder: '${wildcard}'`)
  const purposes = id === undefined ? [purposeId.serverAuth] : Object.values(purposeId)
  return sign(publicKey, {
    issuer,
    issuance,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(purposes),
      new x509.SubjectAlternativeNameExtension([
        ...(id === undefined ? [] : [{ type: 'url' as const, value: id }]),
        ...dns.map((value) => ({ type: 'dns' as const, value })),
        ...ips.map((value) => ({ type: 'ip' as const, value })),
      ]),
    ],
  })
}

const domainName = (domain: TrustDomain | undefined) =>
  domain === undefined
    ? []
    : [new x509.SubjectAlternativeNameExtension([{ type: 'url', value: formatSpiffeId(domain) }])]

interface Signing {
  /** Without a certificate it is its own. */
  readonly issuer: { readonly certificate?: Certificate; readonly key: KeyObject }
  readonly issuance: Issuance
  readonly extensions: x509.Extension[]
}

async function sign(
  publicKey: KeyObject,
  { issuer, issuance, extensions }: Signing,
): Promise<Certificate> {
  const { commonName, organization } = issuance
  const subject = new x509.Name([
    ...(organization === undefined ? [] : [{ O: [organization] }]),
    { CN: [commonName] },
  ])
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  const above = issuer.certificate
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: formatSerial(issuance.serial),
    subject,
    issuer: above === undefined ? subject : new x509.Name(above.subject),
    publicKey: new x509.PublicKey(spki),
    signingKey: issuer.key.toCryptoKey(algorithm, false, ['sign']),
    signingAlgorithm: algorithm,
    ...validity(issuance, issuer.certificate),
    extensions: [
      ...extensions,
      new x509.SubjectKeyIdentifierExtension(keyId(spki)),
      // As the issuer itself says, however it was computed.
      ...(above?.subjectKey === undefined
        ? []
        : [new x509.AuthorityKeyIdentifierExtension(above.subjectKey)]),
    ],
  })
  return parseCertificate(Buffer.from(made.rawData))
}

/** RFC 7093 section 2, method 1. */
function keyId(spki: Buffer): string {
  const { bytes } = readBits(readInside(readDer(spki))[1])
  return hash('sha256', bytes, 'buffer').subarray(0, 20).toString('hex')
}

/** From a minute ago, for clocks differ; never longer than its issuer. */
function validity({ nowMs, lifetimeSeconds }: Issuance, issuer: Certificate | undefined) {
  const endMs = Math.min(nowMs + lifetimeSeconds * 1000, issuer?.notAfterMs ?? Infinity)
  if (endMs <= nowMs)
    throw new Refusal(
      'ERR_AUTHORITY_EXPIRED',
      `issuer ended ${formatTime(endMs)}, ${thisClock(nowMs)}`,
    )
  // Certificates count in seconds: cut off, so that the end is not passed.
  const seconds = (timeMs: number) => new Date(Math.floor(timeMs / 1000) * 1000)
  return { notBefore: seconds(nowMs - skewMs), notAfter: seconds(endMs) }
}

function formatSerial(serial: Uint8Array): string {
  if (serial.length < 8 || serial.length > 20)
    throw new RangeError(`serial number of 8 to 20 bytes: ${serial.length}`)
  const bytes = Buffer.from(serial)
  // Positive, and never fewer bytes than were given.
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x40
  return bytes.toString('hex')
}
