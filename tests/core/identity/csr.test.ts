import 'reflect-metadata'
import { createPublicKey, webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import test from 'ava'
import { assert, integer, property, uint8Array } from 'fast-check'
import { Refusal } from '../../../core/errors.ts'
import { readCsr, requestCertificate } from '../../../core/identity/csr.ts'
import { readDer, readInside } from '../../../core/identity/der.ts'
import { formatPem, parsePem } from '../../../core/identity/pem.ts'
import { makePair } from './forge.ts'

const label = 'CERTIFICATE REQUEST'

test('a request proves its key', (t) => {
  const { privateKey, publicKey } = makePair()
  t.true(readCsr(requestCertificate(privateKey)).equals(publicKey))
})

async function foreignRequest(namedCurve: string, hash = 'SHA-256') {
  const algorithm = { name: 'ECDSA', namedCurve, hash }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=operator',
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.SubjectAlternativeNameExtension([
        { type: 'url', value: 'spiffe://sfo2.example/nats/server-0' },
      ]),
    ],
  })
  const spki = await webcrypto.subtle.exportKey('spki', keys.publicKey)
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  return { pem: formatPem(label, Buffer.from(request.rawData)), key }
}

for (const [curve, hash] of [
  ['P-256', 'SHA-256'],
  ['P-384', 'SHA-384'],
] as const)
  test(`of another library’s request with ${curve} nothing but the key is taken`, async (t) => {
    const { pem, key } = await foreignRequest(curve, hash)
    t.true(readCsr(pem).equals(key))
  })

test('another library reads ours and finds its signature good', async (t) => {
  const { privateKey } = makePair()
  const [der] = parsePem(label, requestCertificate(privateKey))
  t.true(await new x509.Pkcs10CertificateRequest(der).verify())
})

test('a request signed by another key is refused', (t) => {
  const requests = [makePair(), makePair()].map(({ privateKey }) => requestCertificate(privateKey))
  const [mine, other] = requests.map((pem) => parsePem(label, pem)[0] as Buffer) as [Buffer, Buffer]
  const point = mine.indexOf(Buffer.from('03420004', 'hex'))
  const swapped = Buffer.from(mine)
  other.copy(swapped, point, point, point + 4 + 64)
  t.throws(() => readCsr(formatPem(label, swapped)), { code: 'ERR_CSR_SIGNATURE' })
})

test('a key of another curve is refused', async (t) => {
  const { pem } = await foreignRequest('P-521', 'SHA-512')
  t.throws(() => readCsr(pem), { code: 'ERR_CSR_KEY' })
})

const good = requestCertificate(makePair().privateKey)
const refused: readonly [string, string, string][] = [
  ['nothing', '', 'ERR_PEM_ILLEGAL'],
  ['two of them', good + good, 'ERR_PEM_ILLEGAL'],
  ['text before it', `x\n${good}`, 'ERR_PEM_ILLEGAL'],
  ['another label', good.replaceAll(label, 'CERTIFICATE'), 'ERR_PEM_ILLEGAL'],
  ['over 16 KiB', good + ' '.repeat(16 * 1024), 'ERR_CSR_OVERSIZE'],
  ['an empty sequence', formatPem(label, Buffer.from([0x30, 0])), 'ERR_CSR_ILLEGAL'],
  ['no DER', formatPem(label, Buffer.from('hello')), 'ERR_DER_ILLEGAL'],
]
for (const [what, pem, code] of refused)
  test(`refused: ${what}`, (t) => {
    t.throws(() => readCsr(pem), { code })
  })

test('whatever bytes come, they are refused as what they are', (t) => {
  assert(
    property(uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
      t.throws(() => readCsr(formatPem(label, bytes)), { instanceOf: Refusal })
    }),
  )
})

test('its signature cannot have a bit less', (t) => {
  const [der] = parsePem(label, good) as [Buffer]
  const [, , signature] = readInside(readDer(der))
  // How many of its bits do not count.
  const at = der.length - (signature?.content.length ?? 0)
  t.is(der[at], 0)
  const shorter = Array.from({ length: 8 }, (_, unused) => {
    const changed = Buffer.from(der)
    changed[at] = unused
    return formatPem(label, changed)
  })
  for (const pem of shorter.slice(1)) t.throws(() => readCsr(pem), { instanceOf: Refusal })
})

test('no byte of a request can be another one', (t) => {
  const [der] = parsePem(label, good) as [Buffer]
  const at = integer({ min: 0, max: der.length - 1 })
  assert(
    property(at, integer({ min: 1, max: 255 }), (index, flip) => {
      const changed = Buffer.from(der)
      changed[index] = (changed[index] as number) ^ flip
      t.throws(() => readCsr(formatPem(label, changed)), { instanceOf: Refusal })
    }),
    { numRuns: 500 },
  )
})
