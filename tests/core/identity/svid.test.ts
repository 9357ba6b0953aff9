import test from 'ava'
import type { Bundle } from '../../../core/identity/bundle.ts'
import { parseCertificate } from '../../../core/identity/certificate.ts'
import { contextTag, derTag, encodeDer, encodeObjectId } from '../../../core/identity/der.ts'
import { extensionId, purposeId } from '../../../core/identity/extensions.ts'
import { noSubtrees } from '../../../core/identity/name-constraints.ts'
import { parseTrustDomain, type TrustDomain } from '../../../core/identity/spiffe-id.ts'
import { verifySvid } from '../../../core/identity/svid.ts'
import { Refusal, type RefusalCode } from '../../../core/errors.ts'
import {
  authority,
  bits,
  clusterConstraints,
  commonName,
  constraints,
  dayMs,
  forgeAuthority,
  forgeLeaf,
  forgeRoot,
  integer,
  makePair,
  minuteMs,
  names,
  noAuthority,
  nowMs,
  purposes,
  sequence,
  uncritical,
  unknown,
  usage,
  versionThree,
  type Extension,
  type Fields,
  type Forged,
} from './forge.ts'

const root = forgeRoot()
const ams3 = forgeAuthority(root, 'ams3')
const sfo2 = forgeAuthority(root, 'sfo2')

function bundleOf(...authorities: readonly Forged[]): Bundle {
  return {
    sequence: 1,
    refreshHintSeconds: 300,
    authorities: authorities.map(({ der }) => parseCertificate(der)),
    jwtKeys: new Map(),
  }
}

function bundlesOf(by: Readonly<Record<string, readonly Forged[]>>): Map<TrustDomain, Bundle> {
  return new Map(
    Object.entries(by).map(([name, authorities]) => [
      parseTrustDomain(name),
      bundleOf(...authorities),
    ]),
  )
}

/** What a region holds: each domain's own intermediate. */
const bundles = bundlesOf({ 'ams3.example': [ams3], 'sfo2.example': [sfo2] })
/** The other way: the root stands for every domain, and only constraints keep them apart. */
const rooted = bundlesOf({ 'ams3.example': [root], 'sfo2.example': [root] })

const verify = (chain: readonly Forged[], trusted = bundles) =>
  verifySvid(
    chain.map(({ der }) => der),
    { bundles: trusted, nowMs },
  )

test('a good chain is an SVID, by its intermediate and by its root', (t) => {
  const leaf = forgeLeaf(ams3)
  for (const trusted of [bundles, rooted]) {
    const { id, path } = verify([leaf, ams3], trusted)
    t.is(String(id), 'spiffe://ams3.example/nats/server-0')
    t.is(path.length, trusted === bundles ? 2 : 3)
  }
  t.is(verify([leaf]).path.length, 2, 'the anchor need not be sent')
  t.is(verify([leaf, ams3, root]).path.length, 2, 'what is above the anchor may be')
})

interface Case {
  readonly what: string
  readonly code: RefusalCode
  /** Of the leaf below ams3's good intermediate. */
  readonly leaf?: Partial<Fields>
  /** Of an intermediate that is the anchor as well, above a good leaf. */
  readonly issuer?: Partial<Fields>
  readonly chain?: () => readonly Forged[]
  readonly trusted?: typeof bundles
}

const extended = (name: string, extension: Extension | undefined): Partial<Fields> => ({
  extensions: { [name]: extension },
})
const named = (...uris: string[]) => extended('names', names({ uris }))
const id = 'spiffe://ams3.example/nats/server-0'
const point = makePair().publicKey.export({ format: 'der', type: 'spki' })
const rsaKey = sequence(
  sequence(encodeObjectId('1.2.840.113549.1.1.1'), encodeDer(5)),
  bits(sequence(integer(1), integer(3))),
)
/** Not on the curve: the last byte of the point is another one. */
const offCurve = Buffer.from(point)
offCurve[offCurve.length - 1] = (offCurve.at(-1) as number) ^ 1

const cases: readonly Case[] = [
  // the SPIFFE ID
  {
    what: 'no URI name',
    leaf: extended('names', names({ dns: ['ams3-0.ams3.example'] })),
    code: 'ERR_SVID_URI_NONE',
  },
  { what: 'no names at all', leaf: extended('names', undefined), code: 'ERR_SVID_URI_NONE' },
  {
    what: 'two URI names',
    leaf: named(id, 'spiffe://ams3.example/nats/server-1'),
    code: 'ERR_SVID_URI_MANY',
  },
  { what: 'the same URI name twice', leaf: named(id, id), code: 'ERR_SVID_URI_MANY' },
  {
    what: 'a trust domain without a path',
    leaf: named('spiffe://ams3.example'),
    code: 'ERR_SVID_PATH',
  },
  {
    what: 'a slash for a path',
    leaf: named('spiffe://ams3.example/'),
    code: 'ERR_SPIFFE_ID_SEGMENT_EMPTY',
  },
  {
    what: 'an empty segment',
    leaf: named('spiffe://ams3.example/nats//0'),
    code: 'ERR_SPIFFE_ID_SEGMENT_EMPTY',
  },
  { what: 'a slash at the end', leaf: named(`${id}/`), code: 'ERR_SPIFFE_ID_SEGMENT_EMPTY' },
  {
    what: 'dot segments',
    leaf: named('spiffe://ams3.example/x/../nats/server-0'),
    code: 'ERR_SPIFFE_ID_SEGMENT_DOTS',
  },
  {
    what: 'a single dot',
    leaf: named('spiffe://ams3.example/./nats'),
    code: 'ERR_SPIFFE_ID_SEGMENT_DOTS',
  },
  {
    what: '% in its path',
    leaf: named('spiffe://ams3.example/nats%2Fserver-0'),
    code: 'ERR_SPIFFE_ID_SEGMENT',
  },
  { what: 'a query', leaf: named(`${id}?admin`), code: 'ERR_SPIFFE_ID_SEGMENT' },
  { what: 'a fragment', leaf: named(`${id}#admin`), code: 'ERR_SPIFFE_ID_SEGMENT' },
  {
    what: 'a trust domain in upper case',
    leaf: named('spiffe://AMS3.example/nats/server-0'),
    code: 'ERR_SPIFFE_ID_TRUST_DOMAIN',
  },
  {
    what: 'a port',
    leaf: named('spiffe://ams3.example:443/nats/server-0'),
    code: 'ERR_SPIFFE_ID_TRUST_DOMAIN',
  },
  {
    what: 'a user',
    leaf: named('spiffe://x@ams3.example/nats/server-0'),
    code: 'ERR_SPIFFE_ID_TRUST_DOMAIN',
  },
  {
    what: 'no trust domain',
    leaf: named('spiffe:///nats/server-0'),
    code: 'ERR_SPIFFE_ID_TRUST_DOMAIN',
  },
  {
    what: '% in its trust domain',
    leaf: named('spiffe://ams3%2Eexample/x'),
    code: 'ERR_SPIFFE_ID_TRUST_DOMAIN',
  },
  {
    what: 'another scheme',
    leaf: named('https://ams3.example/nats/server-0'),
    code: 'ERR_SPIFFE_ID_SCHEME',
  },
  {
    what: 'its scheme in upper case',
    leaf: named('SPIFFE://ams3.example/nats/server-0'),
    code: 'ERR_SPIFFE_ID_SCHEME',
  },
  {
    what: 'an ID of over 2048 bytes',
    leaf: named(`spiffe://ams3.example/${'x'.repeat(2048)}`),
    code: 'ERR_SPIFFE_ID_TOO_LONG',
  },
  { what: 'a space in its ID', leaf: named(`${id} `), code: 'ERR_CERTIFICATE_NAME' },
  {
    what: 'a trust domain without a bundle',
    leaf: named('spiffe://fra1.example/x'),
    code: 'ERR_BUNDLE_UNKNOWN',
  },
  {
    what: 'a trust domain below its own',
    leaf: named('spiffe://x.ams3.example/x'),
    code: 'ERR_CHAIN_NAME_URI',
    trusted: bundlesOf({ 'x.ams3.example': [ams3] }),
  },
  // the leaf
  { what: 'cA', leaf: extended('basic', authority()), code: 'ERR_SVID_CA' },
  { what: 'no key usage', leaf: extended('usage', undefined), code: 'ERR_SVID_USAGE_MISSING' },
  {
    what: 'a key usage that is not critical',
    leaf: extended('usage', uncritical(usage(0))),
    code: 'ERR_SVID_USAGE_NOT_CRITICAL',
  },
  { what: 'no digitalSignature', leaf: extended('usage', usage(2)), code: 'ERR_SVID_USAGE' },
  { what: 'keyCertSign', leaf: extended('usage', usage(0, 5)), code: 'ERR_SVID_USAGE_SIGNS' },
  { what: 'cRLSign', leaf: extended('usage', usage(0, 6)), code: 'ERR_SVID_USAGE_SIGNS' },
  {
    what: 'a purpose of servers alone',
    leaf: extended('purposes', purposes(purposeId.serverAuth)),
    code: 'ERR_SVID_PURPOSE',
  },
  {
    what: 'a purpose of clients alone',
    leaf: extended('purposes', purposes(purposeId.clientAuth)),
    code: 'ERR_SVID_PURPOSE',
  },
  {
    what: 'name constraints of its own',
    leaf: extended('constraints', constraints(clusterConstraints('ams3'))),
    code: 'ERR_SVID_NAME_CONSTRAINTS',
  },
  {
    what: 'a mail address',
    leaf: extended(
      'names',
      names({ uris: [id], raw: [encodeDer(contextTag(1), Buffer.from('a@b'))] }),
    ),
    code: 'ERR_SVID_NAME_KIND',
  },
  {
    what: 'neither subject nor critical names',
    leaf: { subject: sequence() },
    code: 'ERR_SVID_NAMES_NOT_CRITICAL',
  },
  // its form
  {
    what: 'version 1',
    leaf: { version: encodeDer(contextTag(0, true), integer(0)) },
    code: 'ERR_CERTIFICATE_VERSION',
  },
  {
    what: 'a negative serial number',
    leaf: { serial: integer(0x80) },
    code: 'ERR_CERTIFICATE_SERIAL',
  },
  { what: 'the serial number 0', leaf: { serial: integer(0) }, code: 'ERR_CERTIFICATE_SERIAL' },
  {
    what: 'a serial number of 21 bytes',
    leaf: { serial: integer(...Array<number>(21).fill(1)) },
    code: 'ERR_CERTIFICATE_SERIAL',
  },
  {
    what: 'a serial number that is not DER',
    leaf: { serial: integer(0, 1) },
    code: 'ERR_DER_ILLEGAL',
  },
  { what: 'P-521', leaf: { pair: makePair('P-521') }, code: 'ERR_CERTIFICATE_CURVE' },
  { what: 'secp256k1', leaf: { pair: makePair('secp256k1') }, code: 'ERR_CERTIFICATE_CURVE' },
  { what: 'an RSA key', leaf: { spki: rsaKey }, code: 'ERR_CERTIFICATE_KEY' },
  {
    what: 'a key that is no point of its curve',
    leaf: { spki: offCurve },
    code: 'ERR_CERTIFICATE_ILLEGAL',
  },
  {
    what: 'a signature with SHA-1',
    leaf: {
      algorithm: sequence(encodeObjectId('1.2.840.10045.4.1')),
      innerAlgorithm: sequence(encodeObjectId('1.2.840.10045.4.1')),
    },
    code: 'ERR_CERTIFICATE_ALGORITHM',
  },
  {
    what: 'two signature algorithms',
    leaf: { innerAlgorithm: sequence(encodeObjectId('1.2.840.10045.4.3.3')) },
    code: 'ERR_CERTIFICATE_ALGORITHM',
  },
  {
    what: 'a critical extension that is not known',
    leaf: extended('unknown', unknown(true)),
    code: 'ERR_CERTIFICATE_EXTENSION_UNKNOWN',
  },
  {
    what: 'an extension twice',
    leaf: extended('again', usage(0)),
    code: 'ERR_CERTIFICATE_EXTENSION_TWICE',
  },
  {
    what: 'a key usage of nothing',
    leaf: extended('usage', usage()),
    code: 'ERR_CERTIFICATE_EXTENSION',
  },
  {
    what: 'an illegal DNS name',
    leaf: extended('names', names({ uris: [id], dns: ['a..b'] })),
    code: 'ERR_CERTIFICATE_NAME',
  },
  {
    what: 'an IP address of five bytes',
    leaf: extended(
      'names',
      names({ uris: [id], raw: [encodeDer(contextTag(7), Buffer.alloc(5))] }),
    ),
    code: 'ERR_CERTIFICATE_NAME',
  },
  // the time
  {
    what: 'an end before its beginning',
    leaf: { notBeforeMs: nowMs, notAfterMs: nowMs - 1000 },
    code: 'ERR_CERTIFICATE_VALIDITY',
  },
  {
    what: 'its end 61 s ago',
    leaf: { notBeforeMs: nowMs - dayMs, notAfterMs: nowMs - 61_000 },
    code: 'ERR_CERTIFICATE_EXPIRED',
  },
  {
    what: 'its beginning in 61 s',
    leaf: { notBeforeMs: nowMs + 61_000 },
    code: 'ERR_CERTIFICATE_NOT_YET_VALID',
  },
  {
    what: 'an issuer that ended',
    issuer: { notBeforeMs: nowMs - 90 * dayMs, notAfterMs: nowMs - 2 * minuteMs },
    code: 'ERR_CERTIFICATE_EXPIRED',
  },
  {
    what: 'an issuer that is not valid yet',
    issuer: { notBeforeMs: nowMs + 2 * minuteMs },
    code: 'ERR_CERTIFICATE_NOT_YET_VALID',
  },
  // the names that its issuer may give
  {
    what: 'another region’s DNS name',
    leaf: extended('names', names({ uris: [id], dns: ['sfo2-0.sfo2.example'] })),
    code: 'ERR_CHAIN_NAME_DNS',
  },
  {
    what: 'a DNS name that ends as its region’s does',
    leaf: extended('names', names({ uris: [id], dns: ['xams3.example'] })),
    code: 'ERR_CHAIN_NAME_DNS',
  },
  {
    what: 'a wildcard over all regions',
    leaf: extended('names', names({ uris: [id], dns: ['*.example'] })),
    code: 'ERR_CHAIN_NAME_DNS',
  },
  {
    what: 'an IP address',
    leaf: extended('names', names({ uris: [id], ips: ['127.0.0.1'] })),
    code: 'ERR_CHAIN_NAME_IP',
  },
  {
    what: 'an IPv6 address',
    leaf: extended('names', names({ uris: [id], ips: ['::1'] })),
    code: 'ERR_CHAIN_NAME_IP',
  },
  // the chain
  { what: 'no certificate', chain: () => [], code: 'ERR_CHAIN_EMPTY' },
  {
    what: 'five certificates',
    chain: () => [forgeLeaf(ams3), ams3, root, root, root],
    code: 'ERR_CHAIN_TOO_LONG',
  },
  {
    what: 'another region’s intermediate',
    chain: () => [forgeLeaf(sfo2), sfo2],
    code: 'ERR_CHAIN_UNTRUSTED',
  },
  {
    what: 'another region’s intermediate, below the common root',
    chain: () => [forgeLeaf(sfo2), sfo2],
    trusted: rooted,
    code: 'ERR_CHAIN_NAME_URI',
  },
  {
    what: 'itself for its issuer',
    chain: () => [forgeRoot({ extensions: { ...leafExtensions } })],
    code: 'ERR_CHAIN_UNTRUSTED',
  },
  {
    what: 'an intermediate of the same name with another key',
    chain: () => [forgeLeaf(forgeAuthority(root, 'ams3'))],
    code: 'ERR_CHAIN_UNTRUSTED',
  },
  {
    what: 'a chain in another order',
    chain: () => [forgeLeaf(ams3), root, ams3],
    trusted: rooted,
    code: 'ERR_CHAIN_UNTRUSTED',
  },
  { what: 'a leaf for its issuer', chain: () => belowLeaf(), code: 'ERR_CHAIN_ISSUER_NAME' },
  {
    what: 'a leaf without a name for its issuer',
    chain: () => belowLeaf(names({ dns: ['ams3.example'] })),
    code: 'ERR_CHAIN_ISSUER_NOT_CA',
  },
  {
    what: 'an authority below one that may have none',
    chain: () => belowSecond(),
    code: 'ERR_CHAIN_PATH_LENGTH',
  },
  // its issuer
  {
    what: 'an issuer without cA',
    issuer: extended('basic', noAuthority),
    code: 'ERR_CHAIN_ISSUER_NOT_CA',
  },
  {
    what: 'an issuer without basic constraints',
    issuer: extended('basic', undefined),
    code: 'ERR_CHAIN_ISSUER_NOT_CA',
  },
  {
    what: 'an issuer whose cA is not critical',
    issuer: extended('basic', uncritical(authority(0))),
    code: 'ERR_CHAIN_ISSUER_CONSTRAINTS',
  },
  {
    what: 'an issuer without key usage',
    issuer: extended('usage', undefined),
    code: 'ERR_CHAIN_ISSUER_USAGE_MISSING',
  },
  {
    what: 'an issuer without keyCertSign',
    issuer: extended('usage', usage(0)),
    code: 'ERR_CHAIN_ISSUER_USAGE',
  },
  {
    what: 'an issuer of server names alone',
    issuer: extended('purposes', purposes(purposeId.serverAuth)),
    code: 'ERR_CHAIN_PURPOSE',
  },
  {
    what: 'an issuer whose name constraints are not critical',
    issuer: extended('constraints', uncritical(constraints(clusterConstraints('ams3')))),
    code: 'ERR_CHAIN_NAME_CONSTRAINTS',
  },
  {
    what: 'an issuer with a constraint on mail addresses',
    chain: () => belowMailConstraint(),
    code: 'ERR_NAME_CONSTRAINTS',
  },
  {
    what: 'an issuer named as a workload is',
    issuer: extended('names', names({ uris: ['spiffe://ams3.example/ca'] })),
    code: 'ERR_CHAIN_ISSUER_NAME',
  },
]

const leafExtensions = {
  basic: noAuthority,
  usage: usage(0),
  names: names({ uris: [id] }),
}

function belowLeaf(name = names({ uris: [id] })): readonly Forged[] {
  const pair = makePair()
  const leaf = forgeLeaf(ams3, { pair, extensions: { names: name } })
  return [forgeLeaf(leaf), leaf, ams3]
}

function belowSecond(): readonly Forged[] {
  const second = forgeAuthority(ams3, 'ams3', { subject: commonName('second') })
  return [forgeLeaf(second), second, ams3]
}

function belowMailConstraint(): readonly Forged[] {
  const mail = encodeDer(contextTag(1), Buffer.from('example'))
  const value = sequence(encodeDer(contextTag(0, true), sequence(mail)))
  const extension = { id: extensionId.nameConstraints, isCritical: true, value }
  const issuer = forgeAuthority(root, 'ams3', extended('constraints', extension))
  return [forgeLeaf(issuer), issuer]
}

function attempt({ leaf, issuer, chain, trusted = bundles }: Case): unknown {
  if (chain !== undefined) return verify(chain(), trusted)
  if (issuer === undefined) return verify([forgeLeaf(ams3, leaf), ams3], trusted)
  const anchor = forgeAuthority(root, 'ams3', issuer)
  return verify([forgeLeaf(anchor), anchor], bundlesOf({ 'ams3.example': [anchor] }))
}

test('over forty certificates are refused, with over forty codes', (t) => {
  t.true(cases.length > 40)
  t.true(new Set(cases.map(({ code }) => code)).size > 40)
  t.is(new Set(cases.map(({ what }) => what)).size, cases.length)
})

for (const each of cases)
  test(`refused: ${each.what}`, (t) => {
    const error = t.throws(() => attempt(each), { instanceOf: Refusal })
    t.is(error?.code, each.code, error?.message)
    t.regex(error?.message ?? '', /^\S+.*[^.]$/)
  })

const borders: readonly [string, Partial<Fields>][] = [
  ['its end 60 s ago', { notBeforeMs: nowMs - dayMs, notAfterMs: nowMs - 60_000 }],
  ['its beginning in 60 s', { notBeforeMs: nowMs + 60_000 }],
  ['P-384', { pair: makePair('P-384') }],
  ['a serial number of 20 bytes', { serial: integer(...Array<number>(20).fill(1)) }],
  ['an extension that is neither known nor critical', extended('unknown', unknown(false))],
  ['no extended key usage', extended('purposes', undefined)],
  ['no basic constraints', extended('basic', undefined)],
  ['more purposes than both', extended('purposes', purposes(...Object.values(purposeId), '1.2.3'))],
  [
    'no subject but critical names',
    { subject: sequence(), extensions: { names: { ...names({ uris: [id] }), isCritical: true } } },
  ],
  [
    'a name inside of the cluster',
    extended('names', names({ uris: [id], dns: ['ams3-0.nats.svc.cluster.local'] })),
  ],
  ['a name in upper case', extended('names', names({ uris: [id], dns: ['AMS3-0.AMS3.example'] }))],
  ['an ID of 2048 bytes', named(`spiffe://ams3.example/${'x'.repeat(2048 - 22)}`)],
]

for (const [what, change] of borders)
  test(`accepted: ${what}`, (t) => {
    t.notThrows(() => verify([forgeLeaf(ams3, change), ams3]))
  })

test('a clock that is ten minutes off is named with the other one', (t) => {
  const early = { bundles, nowMs: nowMs - 10 * minuteMs }
  t.throws(() => verifySvid([forgeLeaf(ams3).der, ams3.der], early), {
    code: 'ERR_CERTIFICATE_NOT_YET_VALID',
    message:
      "certificate 'spiffe://ams3.example/nats/server-0': its issuer's clock said 2026-06-01T11:59:00.000Z or later, this clock says 2026-06-01T11:50:00.000Z",
  })
})

test('an empty bundle means that everything was revoked', (t) => {
  const revoked = bundlesOf({ 'ams3.example': [], 'sfo2.example': [sfo2] })
  t.throws(() => verify([forgeLeaf(ams3), ams3], revoked), { code: 'ERR_CHAIN_UNTRUSTED' })
})

test('bundles are never pooled: only the own domain’s authorities are asked', (t) => {
  const free = forgeAuthority(root, 'sfo2', extended('constraints', undefined))
  const trusted = bundlesOf({ 'ams3.example': [ams3], 'sfo2.example': [free] })
  t.throws(() => verify([forgeLeaf(free), free], trusted), { code: 'ERR_CHAIN_UNTRUSTED' })
})

test('of two anchors of one name the one that fits is taken, in both orders', (t) => {
  const pair = makePair()
  const old = forgeAuthority(root, 'ams3', { pair, notAfterMs: nowMs - dayMs + 1000 })
  const next = forgeAuthority(root, 'ams3', { pair })
  const leaf = forgeLeaf(next)
  for (const anchors of [
    [old, next],
    [next, old],
  ])
    t.notThrows(() => verify([leaf], bundlesOf({ 'ams3.example': anchors })))
})

const kinds = [
  ['URI', 'uris', names({ uris: ['spiffe://sfo2.example/nats/server-0'] }), 'ERR_CHAIN_NAME_URI'],
  ['DNS', 'dns', names({ uris: [id], dns: ['sfo2-0.sfo2.example'] }), 'ERR_CHAIN_NAME_DNS'],
  ['IP', 'ips', names({ uris: [id], ips: ['203.0.113.7'] }), 'ERR_CHAIN_NAME_IP'],
] as const

for (const [kind, key, wanted, code] of kinds)
  test(`the key of ams3 makes no ${kind} name of sfo2, unless that constraint is taken out`, (t) => {
    const { permitted, excluded } = clusterConstraints('ams3')
    const without = {
      permitted: { ...permitted, [key]: [] },
      excluded: { ...excluded, [key]: [] },
    }
    const held = forgeAuthority(root, 'ams3')
    const free = forgeAuthority(root, 'ams3', extended('constraints', constraints(without)))
    const steal = (issuer: Forged) =>
      verify([forgeLeaf(issuer, extended('names', wanted)), issuer], rooted)
    t.throws(() => steal(held), { code })
    t.notThrows(() => steal(free))
  })

test('a laptop’s authority names loopback addresses and no others', (t) => {
  const loopback = { ...noSubtrees, ips: ['127.0.0.0/8', '::1/128'] }
  const { permitted } = clusterConstraints('ams3')
  const laptop = forgeAuthority(
    root,
    'ams3',
    extended(
      'constraints',
      constraints({
        permitted: { ...permitted, ips: loopback.ips },
        excluded: noSubtrees,
      }),
    ),
  )
  const trusted = bundlesOf({ 'ams3.example': [laptop] })
  const of = (...ips: string[]) =>
    verify([forgeLeaf(laptop, extended('names', names({ uris: [id], ips })))], trusted)
  t.notThrows(() => of('127.0.0.1', '127.255.255.255', '::1'))
  for (const ip of ['128.0.0.1', '126.255.255.255', '::2', '::ffff:7f00:1'])
    t.throws(() => of(ip), { code: 'ERR_CHAIN_NAME_IP' })
})

test('every byte of a chain counts: none can be another one', (t) => {
  const leaf = forgeLeaf(ams3)
  for (let at = 0; at < leaf.der.length; at += 7) {
    const der = Buffer.from(leaf.der)
    der[at] = (der[at] as number) ^ 0x01
    t.throws(() => verify([{ ...leaf, der }, ams3]), { instanceOf: Refusal }, `byte ${at}`)
  }
})

test('what is behind the certificate, or cut off, is refused', (t) => {
  const { der } = forgeLeaf(ams3)
  for (const bytes of [
    Buffer.concat([der, Buffer.from([0])]),
    der.subarray(0, -1),
    Buffer.alloc(0),
  ])
    t.throws(() => parseCertificate(bytes), { code: 'ERR_DER_ILLEGAL' })
  t.throws(() => parseCertificate(Buffer.alloc(20_000)), { code: 'ERR_CERTIFICATE_OVERSIZE' })
  t.throws(() => parseCertificate(encodeDer(derTag.sequence, versionThree)), {
    instanceOf: Refusal,
  })
})
