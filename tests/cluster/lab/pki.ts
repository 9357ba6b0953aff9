// A cluster's certificates, as kubeadm makes them: one authority, and for each component the name by
// which the API server knows it.
import { generateKeyPairSync, webcrypto } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

export interface Pki {
  readonly folder: string
  readonly authority: string
  /** Writes <name>.crt and <name>.key. */
  issue(name: string, subject: string, hosts?: readonly string[]): Promise<KeyPair>
  /** Signs service accounts' tokens. */
  readonly tokens: { readonly key: string; readonly public: string }
}

export interface KeyPair {
  readonly certificate: string
  readonly key: string
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const lifeMs = 24 * 3_600_000
const { digitalSignature, keyEncipherment, keyCertSign } = x509.KeyUsageFlags
const { clientAuth, serverAuth } = x509.ExtendedKeyUsage

export async function makePki(folder: string, cluster: string): Promise<Pki> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const name = `CN=${cluster}`
  const own = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(),
    serialNumber: '01',
    name,
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(keyCertSign | digitalSignature, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  const authority = write(folder, 'ca', own.toString('pem'), await pemOf(keys.privateKey))
  let serial = 1
  return {
    folder,
    authority: authority.certificate,
    tokens: makeTokenKey(folder),
    issue: async (file, subject, hosts = []) => {
      serial += 1
      const leaf = { file, subject, hosts, serial: serial.toString(16).padStart(2, '0') }
      return issue({ folder, issuer: name, signingKey: keys.privateKey }, leaf)
    },
  }
}

interface Authority {
  readonly folder: string
  readonly issuer: string
  readonly signingKey: webcrypto.CryptoKey
}

interface Leaf {
  readonly file: string
  readonly subject: string
  readonly hosts: readonly string[]
  readonly serial: string
}

async function issue({ folder, issuer, signingKey }: Authority, leaf: Leaf): Promise<KeyPair> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const names = leaf.hosts.map((host) => nameOf(host))
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity(),
    serialNumber: leaf.serial,
    subject: leaf.subject,
    issuer,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.KeyUsagesExtension(digitalSignature | keyEncipherment, true),
      new x509.ExtendedKeyUsageExtension([clientAuth, serverAuth]),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
    ],
  })
  return write(folder, leaf.file, certificate.toString('pem'), await pemOf(keys.privateKey))
}

function nameOf(host: string): x509.JsonGeneralName {
  return { type: /^[\d.]+$/.test(host) ? 'ip' : 'dns', value: host }
}

/** A clock that is read a moment later elsewhere must not find it too early. */
function validity(): { notBefore: Date; notAfter: Date } {
  const now = Date.now()
  return { notBefore: new Date(now - 60_000), notAfter: new Date(now + lifeMs) }
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  const bytes = await webcrypto.subtle.exportKey('pkcs8', key)
  return x509.PemConverter.encode(bytes, x509.PemConverter.PrivateKeyTag)
}

function makeTokenKey(folder: string): Pki['tokens'] {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const files = { key: join(folder, 'sa.key'), public: join(folder, 'sa.pub') }
  writeFileSync(files.key, privateKey, { mode: 0o600 })
  writeFileSync(files.public, publicKey)
  return files
}

function write(folder: string, name: string, certificate: string, key: string): KeyPair {
  const files = { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) }
  writeFileSync(files.certificate, `${certificate}\n`)
  writeFileSync(files.key, `${key}\n`, { mode: 0o600 })
  return files
}
