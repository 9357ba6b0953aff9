import { hash } from 'node:crypto'
import test from 'ava'
import type { RefusalCode } from '../../../core/errors.ts'
import { parseCertificate } from '../../../core/identity/certificate.ts'
import { purposeId } from '../../../core/identity/extensions.ts'
import {
  exitCodeOf,
  judgePeer,
  misfits,
  type Misfit,
  type PeerWishes,
} from '../../../core/identity/peer-report.ts'
import { parseSpiffeId } from '../../../core/identity/spiffe-id.ts'
import {
  authority,
  commonName,
  dayMs,
  forgeAuthority,
  forgeLeaf,
  forgeRoot,
  makePair,
  minuteMs,
  names,
  nowMs,
  purposes,
  usage,
  type Forged,
} from './forge.ts'

const identityRoot = forgeRoot({
  subject: commonName('identity root'),
  extensions: { names: names({ uris: ['spiffe://example'] }) },
})
const publicRoot = forgeRoot({
  subject: commonName('public root'),
  extensions: { names: undefined },
})
const ams3 = forgeAuthority(identityRoot, 'ams3')
const open = forgeAuthority(publicRoot, 'ams3', {
  subject: commonName('ams3 public'),
  extensions: {
    names: undefined,
    constraints: undefined,
    purposes: purposes(purposeId.serverAuth),
  },
})
const serverOnly = (change: Parameters<typeof names>[0]) => ({
  extensions: { purposes: purposes(purposeId.serverAuth), names: names(change) },
})
const leaf = forgeLeaf(ams3)
const server = forgeLeaf(open, serverOnly({ dns: ['ams3.example'], ips: ['127.0.0.1'] }))
const id = 'spiffe://ams3.example/nats/server-0'

const wishes: PeerWishes = {
  roots: [identityRoot, publicRoot].map(({ der }) => parseCertificate(der)),
  nowMs,
  name: '127.0.0.1',
}
const judge = (chain: readonly Forged[], change: Partial<PeerWishes> = {}) =>
  judgePeer(
    chain.map(({ der }) => der),
    { ...wishes, ...change },
  )
const uris = (...all: string[]) => ({ extensions: { names: names({ uris: all }) } })

test('an identity is followed to its root, which the peer need not show', (t) => {
  const report = judge([leaf, ams3])
  t.deepEqual(report.findings, [])
  t.is(report.kind, 'identity')
  t.is(report.id, id)
  t.deepEqual(
    report.certificates.map(({ rank, isShown, secondsLeft }) => [rank, isShown, secondsLeft]),
    [
      ['leaf', true, 3600],
      ['intermediate', true, 90 * 86_400],
      ['root', false, 90 * 86_400],
    ],
  )
  const [first] = report.certificates
  t.is(first?.sha256, hash('sha256', leaf.der))
  t.is(first?.names, `URI:${id}, DNS:ams3-0.ams3.example`)
  t.is(first?.issuer, 'CN=ams3 authority')
})

test('a public certificate is followed to its root and must be for the name that was dialled', (t) => {
  const report = judge([server, open])
  t.deepEqual(report.findings, [])
  t.is(report.kind, 'public')
  t.is(report.id, undefined)
  t.deepEqual(judge([server, open], { name: 'AMS3.example' }).findings, [])
})

test('an identity of which no ID is expected must be for the name that was dialled', (t) => {
  const dialled = (name: string, change: Partial<PeerWishes> = {}) =>
    judge([leaf, ams3], { name, ...change }).findings.map(({ misfit }) => misfit)
  t.deepEqual(dialled('ams3-0.ams3.example'), [])
  t.deepEqual(dialled('sfo2-0.sfo2.example'), ['name'])
  t.deepEqual(dialled('sfo2-0.sfo2.example', { id: parseSpiffeId(id) }), [])
})

test('a root that is shown is not shown twice', (t) => {
  t.is(judge([leaf, ams3, identityRoot]).certificates.length, 3)
})

const sfo2 = forgeAuthority(identityRoot, 'sfo2')
const unlimited = forgeAuthority(identityRoot, 'ams3', { extensions: { constraints: undefined } })
const unlimitedOther = forgeAuthority(identityRoot, 'sfo2', {
  extensions: { constraints: undefined },
})
const stranger = forgeAuthority(forgeRoot(), 'ams3')
const foreign = 'spiffe://ams3.example/nats/server-1'

type Case = readonly [
  what: string,
  chain: readonly Forged[],
  misfit: Misfit,
  code: RefusalCode,
  message: RegExp,
  change?: Partial<PeerWishes>,
]
const cases: readonly Case[] = [
  ['nothing', [], 'chain', 'ERR_CHAIN_EMPTY', /no certificate was shown/],
  ['five certificates', Array(5).fill(leaf), 'chain', 'ERR_CHAIN_TOO_LONG', /over 4/],
  ['no intermediate', [leaf], 'chain', 'ERR_CHAIN_UNTRUSTED', /no trusted issuer of certificate/],
  [
    'an unknown root',
    [forgeLeaf(stranger), stranger],
    'chain',
    'ERR_CHAIN_UNTRUSTED',
    /no trusted issuer/,
  ],
  [
    'a leaf that has ended',
    [forgeLeaf(ams3, { notAfterMs: nowMs - 2 * minuteMs, notBeforeMs: nowMs - dayMs }), ams3],
    'chain',
    'ERR_CERTIFICATE_EXPIRED',
    /ended 2026-06-01T11:58:00.000Z, this clock says 2026-06-01T12:00:00.000Z/,
  ],
  [
    'a name that the intermediate may not give',
    [forgeLeaf(sfo2), sfo2],
    'chain',
    'ERR_CHAIN_NAME_URI',
    /name not permitted by its authority: 'spiffe:\/\/ams3.example/,
  ],
  [
    'a leaf on another curve',
    [forgeLeaf(ams3, { pair: makePair('P-521') }), ams3],
    'chain',
    'ERR_CERTIFICATE_CURVE',
    /not P-256 or P-384/,
  ],
  [
    'no URI name',
    [forgeLeaf(ams3, { extensions: { names: names({ dns: ['ams3-0.ams3.example'] }) } }), ams3],
    'spiffe',
    'ERR_SVID_URI_NONE',
    /no URI name/,
  ],
  [
    'two URI names',
    [forgeLeaf(ams3, uris(id, foreign)), ams3],
    'spiffe',
    'ERR_SVID_URI_MANY',
    /2 URI names/,
  ],
  [
    'an ID with a dot segment',
    [forgeLeaf(ams3, uris('spiffe://ams3.example/a/../b')), ams3],
    'spiffe',
    'ERR_SPIFFE_ID_SEGMENT_DOTS',
    /dot segment/,
  ],
  [
    'no digitalSignature',
    [forgeLeaf(ams3, { extensions: { usage: usage(4) } }), ams3],
    'spiffe',
    'ERR_SVID_USAGE',
    /without digitalSignature/,
  ],
  [
    'an authority as a leaf',
    [forgeLeaf(ams3, { extensions: { basic: authority() } }), ams3],
    'spiffe',
    'ERR_SVID_CA',
    /an authority/,
  ],
  [
    'an intermediate without constraints',
    [forgeLeaf(unlimited), unlimited],
    'spiffe',
    'ERR_PEER_AUTHORITY',
    /issuer of 'spiffe:\/\/ams3.example\/nats\/server-0': has no name constraints/,
  ],
  [
    'the intermediate of another trust domain, without constraints',
    [forgeLeaf(unlimitedOther), unlimitedOther],
    'spiffe',
    'ERR_PEER_AUTHORITY',
    /is not 'spiffe:\/\/ams3.example': 'spiffe:\/\/sfo2.example'/,
  ],
  [
    'an identity from the public root',
    [forgeLeaf(open, serverOnly({ uris: [id], ips: ['127.0.0.1'] })), open],
    'spiffe',
    'ERR_PEER_PUBLIC_ID',
    /an identity from a public authority/,
  ],
  [
    'another ID',
    [leaf, ams3],
    'id',
    'ERR_PEER_ID',
    /not '.*-1': '.*-0'/,
    { id: parseSpiffeId(foreign) },
  ],
  [
    'no ID where one is expected',
    [server, open],
    'id',
    'ERR_PEER_ID',
    /no ID/,
    { id: parseSpiffeId(id) },
  ],
  [
    'another issuer',
    [leaf, ams3],
    'issuer',
    'ERR_PEER_ISSUER',
    /issuer is not 'spiffe:\/\/sfo2.example': 'spiffe:\/\/ams3.example', 'CN=ams3 authority'$/,
    { issuer: 'spiffe://sfo2.example' },
  ],
  [
    'a leaf with 60 minutes left',
    [leaf, ams3],
    'end',
    'ERR_PEER_NEAR_END',
    /leaf 'CN=ams3-0': 1 h 0 m left, under 2h/,
    { failUnder: { leaf: 7200 } },
  ],
  [
    'an intermediate with 90 days left',
    [leaf, ams3],
    'end',
    'ERR_PEER_NEAR_END',
    /intermediate 'CN=ams3 authority': 90 d 0 h left, under 91d/,
    { failUnder: { intermediate: 91 * 86_400 } },
  ],
  [
    'a root with 90 days left, from our own file',
    [leaf, ams3],
    'end',
    'ERR_PEER_NEAR_END',
    /root 'CN=identity root': 90 d 0 h left, under 365d/,
    { failUnder: { root: 365 * 86_400 } },
  ],
  [
    'a public certificate for another name',
    [server, open],
    'name',
    'ERR_PEER_NAME',
    /not for 'sfo2.example': DNS:ams3.example, IP Address:127.0.0.1/,
    { name: 'sfo2.example' },
  ],
  [
    'a public certificate for another address',
    [server, open],
    'name',
    'ERR_PEER_NAME',
    /not for '127.0.0.2'/,
    { name: '127.0.0.2' },
  ],
]

for (const [what, chain, misfit, code, message, change] of cases)
  test(`found, and nothing else: ${what}`, (t) => {
    const { findings } = judge(chain, change)
    t.deepEqual(
      findings.map((finding) => [finding.misfit, finding.code]),
      [[misfit, code]],
    )
    t.regex(findings[0]?.message ?? '', message)
    t.is(exitCodeOf(findings), misfits[misfit].exitCode)
  })

for (const issuer of [
  'spiffe://ams3.example',
  'ams3 authority',
  'CN=ams3 authority',
  hash('sha256', ams3.der),
  (hash('sha256', ams3.der).toUpperCase().match(/../g) ?? []).join(':'),
])
  test(`the issuer may be told as ${issuer.slice(0, 24)}`, (t) => {
    t.deepEqual(judge([leaf, ams3], { issuer }).findings, [])
  })

test('what is exactly long enough is long enough', (t) => {
  const failUnder = { leaf: 3600, intermediate: 90 * 86_400, root: 90 * 86_400 }
  t.deepEqual(judge([leaf, ams3], { failUnder }).findings, [])
})

test('a certificate that we refuse to read is shown all the same', (t) => {
  const odd = forgeLeaf(ams3, { pair: makePair('P-521') })
  t.deepEqual(
    judge([odd, ams3]).certificates.map(({ subject }) => subject),
    ['CN=ams3-0', 'CN=ams3 authority'],
  )
})

test('of several misfits the first of the table is the exit code', (t) => {
  const id = parseSpiffeId(foreign)
  const { findings } = judge([leaf], { id, issuer: 'x', failUnder: { leaf: 7200 } })
  t.deepEqual(
    findings.map(({ misfit }) => misfit),
    ['chain', 'id', 'issuer', 'end'],
  )
  t.is(exitCodeOf(findings), 3)
  t.is(exitCodeOf([]), 0)
})

test('every kind of misfit has an exit code of its own', (t) => {
  const codes: number[] = Object.values(misfits).map(({ exitCode }) => exitCode)
  t.is(new Set(codes).size, codes.length)
  t.false(codes.some((code) => code === 0 || code === 2))
})

test('a time that is none is told as a misfit, and the rest of the certificate is shown', (t) => {
  const der = Buffer.from(leaf.der)
  der.write('269901', der.indexOf('260601'))
  const { certificates, findings } = judgePeer([der, ams3.der], {
    ...wishes,
    id: parseSpiffeId(id),
  })
  t.deepEqual(
    findings.map(({ code }) => code),
    ['ERR_DER_ILLEGAL'],
  )
  t.like(certificates[0], { subject: 'CN=ams3-0', notBefore: 'unreadable' })
})
