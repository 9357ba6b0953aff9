import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { TlsFiles } from '../core/network/tls.ts'
import { readIfThere, writePrivate } from '../store/files.ts'
import type { Authority, Issued, Validity } from './authority.ts'
import { authorityPaths, tlsPaths } from './layout.ts'

/** A process that shows a certificate: under which names it is dialled. */
export interface CertificateHolder {
  readonly name: string
  readonly region: string
  readonly hosts: readonly string[]
}

export interface Certificates {
  /** By process name: sha256 of the certificate's public key (SPKI), in hexadecimal. */
  readonly pins: ReadonlyMap<string, string>
  /** Which processes got a new key this time. */
  readonly made: readonly string[]
}

const dayMs = 24 * 3600 * 1000
const authorityDays = 365
const certificateDays = 90
const renewalDays = 7

/**
 * Makes what is missing: an authority, and for each holder a key and a certificate. What is there
 * stays unless it ends within 7 days, is of another authority or for other hosts.
 */
export async function ensureCertificates(
  data: string,
  holders: readonly CertificateHolder[],
  now: Date,
): Promise<Certificates> {
  const known = readAuthority(data, now)
  const authority = known ?? (await replaceAuthority(data, now))
  const pins = new Map<string, string>()
  const missing: CertificateHolder[] = []
  for (const holder of holders) {
    const pin = known && readPin(tlsPaths(data, holder), holder.hosts, { known, now })
    if (pin === undefined) missing.push(holder)
    else pins.set(holder.name, pin)
  }
  await Promise.all(
    missing.map(async (holder) => {
      pins.set(holder.name, await replaceCertificate(data, holder, { authority, now }))
    }),
  )
  return { pins, made: missing.map(({ name }) => name) }
}

function readAuthority(data: string, now: Date): Authority | undefined {
  const pair = readPair(authorityPaths(data))
  return pair && lasts(pair.read, now) ? pair : undefined
}

async function replaceAuthority(data: string, now: Date): Promise<Authority> {
  const { makeAuthority } = await signing()
  const authority = await makeAuthority(validFor(authorityDays, now))
  const paths = authorityPaths(data)
  writePrivate(paths.key, authority.key)
  writePrivate(paths.certificate, authority.certificate)
  return authority
}

function readPin(
  files: TlsFiles,
  hosts: readonly string[],
  { known, now }: { known: Authority; now: Date },
): string | undefined {
  const pair = readPair(files)
  const isUsable =
    pair !== undefined &&
    pair.read.verify(new X509Certificate(known.certificate).publicKey) &&
    isExactlyFor(pair.read, hosts) &&
    lasts(pair.read, now)
  return isUsable ? pinOf(pair.read) : undefined
}

/** What cannot be read, or does not belong together, is as good as missing. */
function readPair(files: { readonly certificate: string; readonly key: string }) {
  const [certificate, key] = [readIfThere(files.certificate), readIfThere(files.key)]
  if (certificate === undefined || key === undefined) return undefined
  try {
    const read = new X509Certificate(certificate)
    return read.checkPrivateKey(createPrivateKey(key)) ? { certificate, key, read } : undefined
  } catch {
    return undefined
  }
}

async function replaceCertificate(
  data: string,
  holder: CertificateHolder,
  { authority, now }: { authority: Authority; now: Date },
): Promise<string> {
  const { issueCertificate } = await signing()
  const validity = validFor(certificateDays, now)
  const issued: Issued = await issueCertificate(authority, holder.hosts, validity)
  const files = tlsPaths(data, holder)
  writePrivate(files.key, issued.key)
  writePrivate(files.certificate, issued.certificate)
  return pinOf(new X509Certificate(issued.certificate))
}

/** Loading the signing library takes 80 ms: only where something has to be signed. */
const signing = () => import('./authority.ts')

function isExactlyFor(certificate: X509Certificate, hosts: readonly string[]): boolean {
  const names = certificate.subjectAltName?.split(', ') ?? []
  const isNamed = (host: string) =>
    isIP(host) === 0 ? names.includes(`DNS:${host}`) : certificate.checkIP(host) !== undefined
  return names.length === hosts.length && hosts.every(isNamed)
}

const lasts = (certificate: X509Certificate, now: Date) =>
  Date.parse(certificate.validTo) - now.getTime() > renewalDays * dayMs

/** From an hour ago, for clocks differ. */
const validFor = (days: number, now: Date): Validity => ({
  notBefore: new Date(now.getTime() - dayMs / 24),
  notAfter: new Date(now.getTime() + days * dayMs),
})

function pinOf({ publicKey }: X509Certificate): string {
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(spki).digest('hex')
}
