import test from 'ava'
import { assert, integer, property } from 'fast-check'
import { Refusal } from '../../../core/errors.ts'
import { nameOf, parseCertificate } from '../../../core/identity/certificate.ts'
import { formatIp } from '../../../core/identity/general-name.ts'
import { requireSvid } from '../../../core/identity/svid.ts'
import { laptopConstraints, makeAuthority, makeLeaf, makeRoot } from './example.ts'
import { forgeLeaf, forgeRoot, names, nowMs } from './forge.ts'

const root = await makeRoot(nowMs, 'example')
const ams3 = await makeAuthority(root, 'ams3', nowMs, laptopConstraints('ams3'))
const id = 'spiffe://ams3.example/nats/server-0'
const leaf = await makeLeaf(ams3, { id, dns: ['a.ams3.example'], ips: ['127.0.0.1', '::1'] }, nowMs)

for (const [what, { certificate }] of Object.entries({ root, ams3, leaf }))
  test(`two readers find the same: ${what}`, (t) => {
    const { openssl, serial, notBeforeMs, notAfterMs, basicConstraints } = certificate
    t.is(openssl.serialNumber.toLowerCase(), serial)
    t.is(openssl.validFromDate.getTime(), notBeforeMs)
    t.is(openssl.validToDate.getTime(), notAfterMs)
    t.is(openssl.ca, basicConstraints?.isAuthority === true)
    t.deepEqual(openssl.raw, certificate.der)
    t.deepEqual(openssl.publicKey.export({ format: 'der', type: 'spki' }), certificate.spki)
  })

test('two readers find the same names', (t) => {
  const { uris, dns, ips } = leaf.certificate.names
  t.deepEqual(uris, [id])
  t.deepEqual(ips.map(formatIp), ['127.0.0.1', '::1'])
  t.is(
    leaf.certificate.openssl.subjectAltName,
    `URI:${uris[0]}, DNS:${dns[0]}, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1`,
  )
})

test('whatever is changed in a certificate, it is refused or read alike by both', (t) => {
  const { der } = leaf.certificate
  assert(
    property(
      integer({ min: 0, max: der.length - 1 }),
      integer({ min: 1, max: 255 }),
      (at, flip) => {
        const bytes = Buffer.from(der)
        bytes[at] = (bytes[at] as number) ^ flip
        try {
          const read = parseCertificate(bytes)
          const { openssl, serial, notAfterMs } = read
          t.is(openssl.serialNumber.toLowerCase().replace(/^0+/, ''), serial.replace(/^0+/, ''))
          t.is(openssl.validToDate.getTime(), notAfterMs)
          // Whatever could stand for an identity is the first of OpenSSL's names, too.
          const found = openssl.subjectAltName?.split(', ')[0]
          t.is(found, `URI:${requireSvid(read)}`)
        } catch (error) {
          t.true(error instanceof Refusal, String(error))
        }
      },
    ),
    { numRuns: 3000 },
  )
  t.pass()
})

test('a message names a certificate by its identity, else by its serial number', (t) => {
  t.is(nameOf(leaf.certificate), `'${id}'`)
  const nameless = parseCertificate(
    forgeLeaf(forgeRoot(), { extensions: { names: undefined } }).der,
  )
  t.is(nameOf(nameless), `serial ${nameless.serial}`)
  const foreign = names({ uris: ['x'.repeat(200)] })
  const long = parseCertificate(forgeLeaf(forgeRoot(), { extensions: { names: foreign } }).der)
  t.true(nameOf(long).length < 100)
})
