import { hash } from 'node:crypto'
import test from 'ava'
import fc from 'fast-check'
import { parseCertificate } from '../../../core/identity/certificate.ts'
import { describeIssued, formatIssued, parseIssued } from '../../../core/identity/recorded.ts'
import { forgeAuthority, forgeLeaf, forgeRoot, names } from './forge.ts'

const ams3 = forgeAuthority(forgeRoot(), 'ams3')
const id = 'spiffe://ams3.example/nats/server-0'
const withNames = (of: Parameters<typeof names>[0]) =>
  parseCertificate(forgeLeaf(ams3, { extensions: { names: names(of) } }).der)
const identity = { kind: 'identity', holder: 'ams3-0' } as const
const outside = { kind: 'public', holder: 'ams3-0' } as const

test('a certificate is described by the digests that nats-server shows of it', (t) => {
  const leaf = withNames({ uris: [id] })
  t.deepEqual(JSON.parse(formatIssued(describeIssued(leaf, identity))), {
    ...{ kind: 'identity', id, holder: 'ams3-0' },
    serial: leaf.openssl.serialNumber.toLowerCase(),
    sha256: leaf.openssl.fingerprint256.replaceAll(':', '').toLowerCase(),
    spkiSha256: hash('sha256', leaf.spki),
    notBefore: '2026-06-01T11:59:00.000Z',
    notAfter: '2026-06-01T13:00:00.000Z',
  })
})

test('what is formatted is read again', (t) => {
  const leaves = [withNames({ uris: [id] }), withNames({ dns: ['localhost'] })] as const
  for (const [leaf, as] of [[leaves[0], identity] as const, [leaves[1], outside] as const]) {
    const issued = describeIssued(leaf, as)
    t.deepEqual(parseIssued(formatIssued(issued)), issued)
    t.notRegex(formatIssued(issued), /\n/)
  }
})

type Case = [string, Parameters<typeof names>[0], typeof identity | typeof outside, string, RegExp]
const never: readonly Case[] = [
  ['no URI', { dns: ['ams3-0.ams3.example'] }, identity, 'ERR_SVID_URI_NONE', /: no URI name$/],
  ['two URIs', { uris: [id, `${id}1`] }, identity, 'ERR_SVID_URI_MANY', /: 2 URI names$/],
  ['one URI twice', { uris: [id, id] }, identity, 'ERR_SVID_URI_MANY', /: 2 URI names$/],
  ['a public URI', { uris: [id] }, outside, 'ERR_PEER_PUBLIC_ID', /^a public certificate with /],
]

for (const [what, of, as, code, message] of never)
  test(`a leaf with ${what} is never recorded, and so never handed out`, (t) => {
    t.throws(() => describeIssued(withNames(of), as), {
      ...{ code, message },
    })
  })

const good = describeIssued(withNames({ uris: [id] }), identity)
const bad: readonly [string, object, RegExp][] = [
  ['another field', { ...good, more: 1 }, /more/],
  ['no digest', { ...good, sha256: '' }, /^illegal line of issuance: sha256: /],
  ['a digest in upper case', { ...good, sha256: good.sha256.toUpperCase() }, /sha256/],
  ['no time', { ...good, notAfter: 'tomorrow' }, /notAfter/],
  ['a holder with a line break', { ...good, holder: 'a\nb' }, /holder/],
  ['no id', { ...good, id: undefined }, /: identity and id do not fit$/],
  ['an id of the outside', { ...good, kind: 'public' }, /: public and id do not fit$/],
]

for (const [what, line, message] of bad)
  test(`a line with ${what} is refused`, (t) => {
    const text = JSON.stringify(line)
    t.throws(() => parseIssued(text), { code: 'ERR_ISSUED_ILLEGAL', message })
  })

test('any other text is refused, and never repeated', (t) => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      t.throws(() => parseIssued(text), { code: 'ERR_ISSUED_ILLEGAL' })
    }),
  )
})
