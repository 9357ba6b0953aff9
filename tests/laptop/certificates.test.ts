import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { type CertificateHolder, ensureCertificates } from '../../laptop/certificates.ts'
import { authorityPaths, tlsPaths } from '../../laptop/layout.ts'

const now = new Date('2026-06-01T00:00:00Z')
const days = (count: number) => new Date(now.getTime() + count * 86_400_000)
const hosts = ['ams3-0', 'localhost', '127.0.0.1', '::1']
const server: CertificateHolder = { name: 'ams3-0', region: 'ams3', hosts }
const peer: CertificateHolder = { name: 'sfo2-0', region: 'sfo2', hosts: ['sfo2-0', '127.0.0.1'] }

function temporaryFolder() {
  const data = mkdtempSync(join(tmpdir(), 'archipelago-'))
  return { data, [Symbol.dispose]: () => rmSync(data, { recursive: true }) }
}

const read = (data: string, holder: CertificateHolder) =>
  new X509Certificate(readFileSync(tlsPaths(data, holder).certificate))

test('a certificate is for its hosts, for both ends of a connection, and of the authority', async (t) => {
  using folder = temporaryFolder()
  await ensureCertificates(folder.data, [server], now)
  const certificate = read(folder.data, server)
  const authority = new X509Certificate(readFileSync(authorityPaths(folder.data).certificate))
  t.true(certificate.checkIssued(authority) && certificate.verify(authority.publicKey))
  t.is(
    certificate.subjectAltName,
    'DNS:ams3-0, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
  )
  t.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
  t.false(certificate.ca)
  t.true(authority.ca)
})

test('keys are for their owner alone, also where a file lay open before', async (t) => {
  using folder = temporaryFolder()
  await ensureCertificates(folder.data, [server], now)
  const keys = [tlsPaths(folder.data, server).key, authorityPaths(folder.data).key]
  for (const key of keys) t.is(statSync(key).mode & 0o777, 0o600)
  t.is(statSync(join(folder.data, 'ams3', 'tls')).mode & 0o777, 0o700)
})

test('the pin is the digest of the public key, as nats-server compares it', async (t) => {
  using folder = temporaryFolder()
  const { pins } = await ensureCertificates(folder.data, [server], now)
  t.regex(pins.get('ams3-0') ?? '', /^[0-9a-f]{64}$/)
  const again = await ensureCertificates(folder.data, [server], now)
  t.is(again.pins.get('ams3-0'), pins.get('ams3-0'))
})

test('what is good stays as it is, and a holder that is new is added by the same authority', async (t) => {
  using folder = temporaryFolder()
  const first = await ensureCertificates(folder.data, [server], now)
  const second = await ensureCertificates(folder.data, [server, peer], days(1))
  t.deepEqual(first.made, ['ams3-0'])
  t.deepEqual(second.made, ['sfo2-0'])
  t.is(second.pins.get('ams3-0'), first.pins.get('ams3-0'))
})

test('a certificate is good until a week before its end', async (t) => {
  using folder = temporaryFolder()
  await ensureCertificates(folder.data, [server], now)
  t.deepEqual((await ensureCertificates(folder.data, [server], days(82.9))).made, [])
  t.deepEqual((await ensureCertificates(folder.data, [server], days(83))).made, ['ams3-0'])
})

test('a week before the authority ends all are made anew, by another one', async (t) => {
  using folder = temporaryFolder()
  await ensureCertificates(folder.data, [server, peer], days(-357.9))
  t.deepEqual((await ensureCertificates(folder.data, [server, peer], days(-0.1))).made.length, 2)
  const before = read(folder.data, server)
  t.deepEqual((await ensureCertificates(folder.data, [server, peer], now)).made.length, 0)
  t.deepEqual((await ensureCertificates(folder.data, [server, peer], days(0.2))).made.length, 2)
  t.not(read(folder.data, server).fingerprint256, before.fingerprint256)
})

const damages: readonly [string, (data: string) => CertificateHolder][] = [
  [
    'is for another host',
    () => ({ ...server, hosts: ['ams3-0', '192.0.2.1', '127.0.0.1', '::1'] }),
  ],
  ['is for one host more', () => ({ ...server, hosts: hosts.slice(1) })],
  [
    'cannot be read',
    (data) => {
      writeFileSync(tlsPaths(data, server).certificate, 'nothing')
      return server
    },
  ],
  [
    'lost its key',
    (data) => {
      rmSync(tlsPaths(data, server).key)
      return server
    },
  ],
  [
    'has another one’s key',
    (data) => {
      writeFileSync(tlsPaths(data, server).key, readFileSync(tlsPaths(data, peer).key))
      return server
    },
  ],
]

for (const [what, damage] of damages) {
  test(`a certificate that ${what} is made anew`, async (t) => {
    using folder = temporaryFolder()
    await ensureCertificates(folder.data, [server, peer], now)
    const { made } = await ensureCertificates(folder.data, [damage(folder.data), peer], now)
    t.deepEqual(made, ['ams3-0'])
  })
}
