// A throwaway certificate authority for one machine, until real service identity takes its place.
import 'reflect-metadata'
import type { webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import * as x509 from '@peculiar/x509'

export interface Authority {
  readonly certificate: string
  readonly key: string
}

export interface Issued {
  readonly certificate: string
  readonly key: string
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

export async function makeAuthority(validity: Validity): Promise<Authority> {
  const keys = await makeKeys()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Archipelago throwaway authority',
    keys,
    signingAlgorithm: algorithm,
    ...validity,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: certificate.toString('pem'), key: await encodeKey(keys.privateKey) }
}

export interface Validity {
  readonly notBefore: Date
  readonly notAfter: Date
}

/** A key and a certificate that is good for both ends of a connection, for these hosts and no others. */
export async function issueCertificate(
  authority: Authority,
  hosts: readonly string[],
  validity: Validity,
): Promise<Issued> {
  const [keys, signingKey] = await Promise.all([makeKeys(), decodeKey(authority.key)])
  const issuer = new x509.X509Certificate(authority.certificate)
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${hosts[0]}`,
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    ...validity,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.serverAuth,
        x509.ExtendedKeyUsage.clientAuth,
      ]),
      new x509.SubjectAlternativeNameExtension(hosts.map(alternativeName)),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  })
  return { certificate: certificate.toString('pem'), key: await encodeKey(keys.privateKey) }
}

const alternativeName = (host: string) =>
  isIP(host) === 0 ? { type: 'dns' as const, value: host } : { type: 'ip' as const, value: host }

const makeKeys = () => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])

async function encodeKey(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')
}

function decodeKey(pem: string): Promise<webcrypto.CryptoKey> {
  return crypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(pem), algorithm, false, [
    'sign',
  ])
}
