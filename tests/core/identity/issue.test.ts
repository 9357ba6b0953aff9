import test from 'ava'
import { X509Certificate } from 'node:crypto'
import type { Bundle } from '../../../core/identity/bundle.ts'
import { formatCertificates, parseCertificates } from '../../../core/identity/certificate.ts'
import { extensionId, purposeId } from '../../../core/identity/extensions.ts'
import { issueLeaf, issueRoot } from '../../../core/identity/issue.ts'
import { parseSpiffeId, parseTrustDomain } from '../../../core/identity/spiffe-id.ts'
import { verifySvid } from '../../../core/identity/svid.ts'
import { daySeconds, issuance, makeAuthority, makeLeaf, makeRoot } from './example.ts'
import { clusterConstraints, dayMs, makePair, minuteMs, nowMs } from './forge.ts'

const root = await makeRoot(nowMs, 'example')
const ams3 = await makeAuthority(root, 'ams3', nowMs)
const id = 'spiffe://ams3.example/nats/server-0'
const leaf = await makeLeaf(ams3, { id, dns: ['ams3-0.ams3.example'] }, nowMs)

const bundle: Bundle = {
  sequence: 1,
  refreshHintSeconds: 300,
  authorities: [ams3.certificate],
  jwtKeys: new Map(),
}
const bundles = new Map([[parseTrustDomain('ams3.example'), bundle]])

test('what is issued is verified', (t) => {
  const chain = [leaf.certificate.der, ams3.certificate.der]
  t.is(String(verifySvid(chain, { bundles, nowMs }).id), id)
})

test('a leaf has one URI name, both purposes, and the usage of a leaf', (t) => {
  const { names, extendedKeyUsage, keyUsage, critical, basicConstraints } = leaf.certificate
  t.deepEqual(names, { uris: [id], dns: ['ams3-0.ams3.example'], ips: [], others: [] })
  t.deepEqual(extendedKeyUsage, Object.values(purposeId))
  t.deepEqual([...(keyUsage ?? [])], ['digitalSignature'])
  t.deepEqual([...critical], [extensionId.basicConstraints, extensionId.keyUsage])
  t.deepEqual(basicConstraints, { isAuthority: false })
})

test('an authority names its domain and no workload, signs leaves alone, and is held to its names', (t) => {
  const { names, keyUsage, critical, basicConstraints, nameConstraints } = ams3.certificate
  t.deepEqual(names.uris, ['spiffe://ams3.example'])
  t.deepEqual([...(keyUsage ?? [])], ['keyCertSign', 'cRLSign'])
  t.deepEqual(basicConstraints, { isAuthority: true, pathLengthMax: 0 })
  t.deepEqual(nameConstraints, clusterConstraints('ams3'))
  t.true(critical.has(extensionId.nameConstraints))
})

test('it begins a minute ago, and ends with its life', (t) => {
  t.is(leaf.certificate.notBeforeMs, nowMs - minuteMs)
  t.is(leaf.certificate.notAfterMs, nowMs + 60 * minuteMs)
})

test('a leaf never outlives its issuer', async (t) => {
  const late = nowMs + 90 * dayMs - 10 * minuteMs
  const { certificate } = await makeLeaf(ams3, { id }, late)
  t.is(certificate.notAfterMs, ams3.certificate.notAfterMs)
  await t.throwsAsync(makeLeaf(ams3, { id }, nowMs + 91 * dayMs), {
    code: 'ERR_AUTHORITY_EXPIRED',
    message: 'issuer ended 2026-08-30T12:00:00.000Z, this clock says 2026-08-31T12:00:00.000Z',
  })
})

test('a fraction of a second is not rounded past the issuer’s end', async (t) => {
  const { certificate } = await makeLeaf(ams3, { id }, nowMs + 999, 1)
  t.is(certificate.notAfterMs, nowMs + 1000)
})

test('a certificate of a server for outside clients has no URI name and no purpose of a client', async (t) => {
  const profile = { dns: ['ams3.nats.example'], ips: [] }
  const { certificate } = root
  const { names, extendedKeyUsage } = await issueLeaf(makePair().publicKey, profile, {
    ...issuance('ams3.nats.example', nowMs, 3600),
    issuer: { certificate, key: root.key },
  })
  t.deepEqual(names.uris, [])
  t.deepEqual(extendedKeyUsage, [purposeId.serverAuth])
})

const refused: readonly [string, Parameters<typeof makeLeaf>[1], string][] = [
  ['a trust domain', { id: 'spiffe://ams3.example' }, 'ERR_SVID_PATH'],
  ['a wildcard', { id, dns: ['*.ams3.example'] }, 'ERR_CERTIFICATE_NAME'],
]
for (const [what, names, code] of refused)
  test(`never issued: ${what}`, async (t) => {
    await t.throwsAsync(makeLeaf(ams3, names, nowMs), { code })
  })

test('a serial number is positive and of all the bytes that were given', async (t) => {
  for (const serial of [Buffer.alloc(16), Buffer.alloc(16, 0xff), Buffer.alloc(20, 0x80)]) {
    const made = await issueLeaf(
      makePair().publicKey,
      { id: parseSpiffeId(id), dns: [], ips: [] },
      { ...issuance('x', nowMs, 60), serial, issuer: ams3 },
    )
    t.is(made.serial.length, serial.length * 2)
  }
  await t.throwsAsync(
    issueRoot(makePair(), { ...issuance('x', nowMs, 60), serial: Buffer.alloc(7) }),
    { instanceOf: RangeError },
  )
})

test('a key of P-384 gets a certificate, too', async (t) => {
  const made = await issueLeaf(
    makePair('P-384').publicKey,
    { id: parseSpiffeId(id), dns: [], ips: [] },
    { ...issuance('x', nowMs, daySeconds), issuer: ams3 },
  )
  t.notThrows(() => verifySvid([made.der], { bundles, nowMs }))
})

test('a chain is written as OpenSSL reads it', (t) => {
  const pem = formatCertificates([leaf.certificate, ams3.certificate])
  t.is(new X509Certificate(pem).fingerprint256, leaf.certificate.openssl.fingerprint256)
  t.deepEqual(
    parseCertificates(pem).map(({ serial }) => serial),
    [leaf.certificate.serial, ams3.certificate.serial],
  )
})
