// X.509 certificates, read twice: by OpenSSL (node:crypto) and field by field here, so that one
// reader's fault is not enough. What is not of the profile is refused before any rule is asked.
import { X509Certificate } from 'node:crypto'
import { Refusal, type RefusalCode } from '../errors.ts'
import { quote } from '../quote.ts'
import {
  contextTag,
  readBytes,
  readDer,
  readInside,
  readInteger,
  readObjectId,
  readSmallInteger,
  readTime,
  type Der,
} from './der.ts'
import { readExtensions, type Extensions } from './extensions.ts'
import { formatPem, parsePem } from './pem.ts'

export interface Certificate extends Extensions {
  readonly der: Buffer
  /** In hexadecimal. */
  readonly serial: string
  /** Names as they are encoded: compared byte by byte. */
  readonly issuer: Buffer
  readonly subject: Buffer
  readonly notBeforeMs: number
  readonly notAfterMs: number
  /** The public key, as its digest is pinned. */
  readonly spki: Buffer
  /** OpenSSL's reading: asked for signatures. */
  readonly openssl: X509Certificate
}

const bytesMax = 16 * 1024
const signatures = new Map([
  ['1.2.840.10045.4.3.2', 'ecdsa-with-SHA256'],
  ['1.2.840.10045.4.3.3', 'ecdsa-with-SHA384'],
])
const curves = new Map([
  ['1.2.840.10045.3.1.7', 'P-256'],
  ['1.3.132.0.34', 'P-384'],
])
const ecPublicKey = '1.2.840.10045.2.1'

/** Refuses what is not version 3, ECDSA with P-256 or P-384, or has a critical extension that is not known. */
export function parseCertificate(der: Uint8Array): Certificate {
  if (der.length > bytesMax) throw refusal('ERR_CERTIFICATE_OVERSIZE', `over ${bytesMax} bytes`)
  const [tbs, algorithm, signature, ...more] = readInside(readDer(der))
  if (tbs === undefined || more.length > 0) throw illegal('not three parts')
  readBytes(signature)
  const fields = readInside(tbs)
  const [version, serial, inner, issuer, validity, subject, key, ...rest] = fields
  requireVersion(version)
  requireSignature(algorithm, inner)
  if (rest.length > 1) throw illegal('unique identifiers')
  return {
    der: Buffer.from(der),
    serial: readSerial(serial),
    issuer: bytesOf(issuer),
    subject: bytesOf(subject),
    ...readValidity(validity),
    spki: readKey(key),
    ...readExtensions(rest[0]),
    openssl: parseWithOpenssl(der),
  }
}

/** All certificates of a PEM text, in its order. */
export function parseCertificates(pem: string): Certificate[] {
  return parsePem('CERTIFICATE', pem).map(parseCertificate)
}

export function formatCertificates(certificates: readonly Pick<Certificate, 'der'>[]): string {
  return certificates.map(({ der }) => formatPem('CERTIFICATE', der)).join('')
}

/** How a message names a certificate: the identity that it claims, or its serial number. */
export function nameOf({ names, serial }: Pick<Certificate, 'names' | 'serial'>): string {
  const name = names.uris[0] ?? names.dns[0]
  return name === undefined ? `serial ${serial}` : quote(name)
}

function requireVersion(element: Der | undefined): void {
  const [version] = element?.tag === contextTag(0, true) ? readInside(element, element.tag) : []
  if (version === undefined || readSmallInteger(version) !== 2)
    throw refusal('ERR_CERTIFICATE_VERSION', 'not version 3')
}

function requireSignature(outer: Der | undefined, inner: Der | undefined): void {
  if (!bytesOf(outer).equals(bytesOf(inner)))
    throw refusal('ERR_CERTIFICATE_ALGORITHM', 'signature algorithm inside differs from outside')
  const [id, ...parameters] = readInside(outer)
  const oid = readObjectId(id)
  if (!signatures.has(oid) || parameters.length > 0)
    throw refusal('ERR_CERTIFICATE_ALGORITHM', `signature is not ECDSA with SHA-256 or 384: ${oid}`)
}

function readSerial(element: Der | undefined): string {
  const serial = readInteger(element)
  const isPositive = (serial[0] as number) < 0x80 && serial.some((byte) => byte > 0)
  if (!isPositive || serial.length > 20)
    throw refusal('ERR_CERTIFICATE_SERIAL', 'serial number is not positive, at most 20 bytes')
  return serial.toString('hex')
}

function readValidity(element: Der | undefined): { notBeforeMs: number; notAfterMs: number } {
  const [from, to, ...more] = readInside(element)
  const [notBeforeMs, notAfterMs] = [readTime(from), readTime(to)]
  if (more.length > 0 || notAfterMs < notBeforeMs)
    throw refusal('ERR_CERTIFICATE_VALIDITY', 'ends before it begins')
  return { notBeforeMs, notAfterMs }
}

function readKey(element: Der | undefined): Buffer {
  const [algorithm, key, ...more] = readInside(element)
  const [type, curve, ...parameters] = readInside(algorithm)
  const oid = readObjectId(type)
  if (oid !== ecPublicKey) throw refusal('ERR_CERTIFICATE_KEY', `key is not of an EC: ${oid}`)
  const name = readObjectId(curve)
  if (!curves.has(name)) throw refusal('ERR_CERTIFICATE_CURVE', `not P-256 or P-384: ${name}`)
  if (more.length > 0 || parameters.length > 0) throw illegal('public key')
  readBytes(key)
  return bytesOf(element)
}

/** Refuses a key that is no point of its curve, too. */
function parseWithOpenssl(der: Uint8Array): X509Certificate {
  try {
    const certificate = new X509Certificate(der)
    void certificate.publicKey
    return certificate
  } catch (cause) {
    throw new Refusal('ERR_CERTIFICATE_ILLEGAL', 'illegal certificate: OpenSSL refuses it', {
      cause,
    })
  }
}

const bytesOf = (element: Der | undefined): Buffer => Buffer.from(element?.bytes ?? [])

const illegal = (what: string) => refusal('ERR_CERTIFICATE_ILLEGAL', what)
const refusal = (code: RefusalCode, what: string) =>
  new Refusal(code, `illegal certificate: ${what}`)
