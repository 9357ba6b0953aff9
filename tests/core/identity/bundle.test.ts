import { generateKeyPairSync } from 'node:crypto'
import test from 'ava'
import { assert, integer, property } from 'fast-check'
import {
  formatBundleMap,
  parseBundleMap,
  requireForward,
} from '../../../core/identity/bundle-map.ts'
import { formatBundle, parseBundle, type Bundle } from '../../../core/identity/bundle.ts'
import { parseCertificate } from '../../../core/identity/certificate.ts'
import { parseTrustDomain } from '../../../core/identity/spiffe-id.ts'
import { forgeAuthority, forgeLeaf, forgeRoot, makePair } from './forge.ts'

const root = forgeRoot()
const ams3 = forgeAuthority(root, 'ams3')
const next = forgeAuthority(root, 'ams3')
const jwt = makePair()
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })

const bundle: Bundle = {
  sequence: 7,
  refreshHintSeconds: 60,
  authorities: [ams3, next].map(({ der }) => parseCertificate(der)),
  jwtKeys: new Map([
    ['a', jwt.publicKey],
    ['b', rsa.publicKey],
  ]),
}

type Entry = Record<string, unknown>
interface Document extends Entry {
  keys: [Entry, Entry, Entry, Entry]
}
const document = (): Document => JSON.parse(formatBundle(bundle)) as Document
const changed = (change: (document: Document) => void): string => {
  const value = document()
  change(value)
  return JSON.stringify(value)
}

test('what is written is read again', (t) => {
  const read = parseBundle(formatBundle(bundle))
  t.is(read.sequence, 7)
  t.is(read.refreshHintSeconds, 60)
  t.deepEqual(
    read.authorities.map(({ der }) => der),
    [ams3.der, next.der],
  )
  t.deepEqual([...read.jwtKeys.keys()], ['a', 'b'])
  t.true(read.jwtKeys.get('a')?.equals(jwt.publicKey))
})

test('it has the form of the specification', (t) => {
  const { keys, ...rest } = document()
  t.deepEqual(rest, { spiffe_sequence: 7, spiffe_refresh_hint: 60 })
  const [x509, , ec] = keys
  t.deepEqual(Object.keys(x509), ['use', 'kty', 'x', 'y', 'crv', 'x5c'])
  t.like(ec, { use: 'jwt-svid', kid: 'a', kty: 'EC', crv: 'P-256' })
})

test('no keys at all are a bundle that revokes everything', (t) => {
  const { authorities, jwtKeys, refreshHintSeconds, sequence } = parseBundle('{"keys":[]}')
  t.is(authorities.length + jwtKeys.size, 0)
  t.is(refreshHintSeconds, 300)
  t.is(sequence, undefined)
})

const ignored: readonly [string, (document: Document) => void][] = [
  ['a use that is not known', ({ keys }) => void (keys[0]['use'] = 'sig')],
  ['no use', ({ keys }) => void delete keys[0]['use']],
  ['a kind of key that is not known', ({ keys }) => void (keys[0]['kty'] = 'OKP')],
  ['a curve that is not known', ({ keys }) => void (keys[2]['crv'] = 'secp256k1')],
  ['a member that is not known', ({ keys }) => void (keys[0]['more'] = 1)],
]

for (const [what, change] of ignored)
  test(`left out: ${what}`, (t) => {
    const { authorities, jwtKeys } = parseBundle(changed(change))
    t.is(authorities.length + jwtKeys.size, what.startsWith('a member') ? 4 : 3)
  })

const x5c = (...certificates: { der: Buffer }[]) =>
  certificates.map(({ der }) => der.toString('base64'))
const small = generateKeyPairSync('rsa', { modulusLength: 1024 })

const refused: readonly [string, string, string][] = [
  ['no JSON', '{', 'ERR_BUNDLE_ILLEGAL'],
  ['a list', '[]', 'ERR_BUNDLE_ILLEGAL'],
  ['no keys', '{}', 'ERR_BUNDLE_ILLEGAL'],
  ['over a mebibyte', ' '.repeat(1024 * 1024 + 1), 'ERR_BUNDLE_ILLEGAL'],
  [
    'over 64 keys',
    JSON.stringify({ keys: Array.from({ length: 65 }, () => ({ kty: 'EC' })) }),
    'ERR_BUNDLE_ILLEGAL',
  ],
  ['keys twice', `{"keys":[],"keys":[]}`, 'ERR_BUNDLE_ILLEGAL'],
  ['keys twice, once escaped', `{"keys":[],"k\\u0065ys":[]}`, 'ERR_BUNDLE_ILLEGAL'],
  [
    'a sequence with a fraction',
    changed((d) => void (d['spiffe_sequence'] = 1.5)),
    'ERR_BUNDLE_ILLEGAL',
  ],
  ['a sequence below zero', changed((d) => void (d['spiffe_sequence'] = -1)), 'ERR_BUNDLE_ILLEGAL'],
  [
    'a sequence beyond counting',
    '{"keys":[],"spiffe_sequence":9007199254740993}',
    'ERR_BUNDLE_ILLEGAL',
  ],
  [
    'a sequence that is a text',
    changed((d) => void (d['spiffe_sequence'] = '1')),
    'ERR_BUNDLE_ILLEGAL',
  ],
  [
    'two certificates in x5c',
    changed(({ keys }) => void (keys[0]['x5c'] = x5c(ams3, root))),
    'ERR_BUNDLE_ILLEGAL',
  ],
  ['no x5c', changed(({ keys }) => void delete keys[0]['x5c']), 'ERR_BUNDLE_ILLEGAL'],
  [
    'another certificate’s key',
    changed(({ keys }) => void (keys[0]['x5c'] = x5c(root))),
    'ERR_BUNDLE_KEY',
  ],
  ['a leaf', leafBundle(), 'ERR_CHAIN_ISSUER_NOT_CA'],
  ['one authority twice', changed(({ keys }) => void (keys[1] = keys[0])), 'ERR_BUNDLE_TWICE'],
  ['one key id twice', changed(({ keys }) => void (keys[3]['kid'] = 'a')), 'ERR_BUNDLE_TWICE'],
  ['no key id', changed(({ keys }) => void delete keys[2]['kid']), 'ERR_BUNDLE_KEY_ID'],
  ['an empty key id', changed(({ keys }) => void (keys[2]['kid'] = '')), 'ERR_BUNDLE_KEY_ID'],
  [
    'a point that is not on its curve',
    changed(({ keys }) => void (keys[2]['x'] = keys[2]['y'])),
    'ERR_JWK_ILLEGAL',
  ],
  ['a private key', changed(({ keys }) => void (keys[2]['d'] = keys[2]['x'])), 'ERR_JWK_PRIVATE'],
  [
    'RSA of 1024 bits',
    changed(({ keys }) => void Object.assign(keys[3], small.publicKey.export({ format: 'jwk' }))),
    'ERR_JWK_ILLEGAL',
  ],
]

function leafBundle(): string {
  const leaf = forgeLeaf(ams3)
  const jwk = leaf.pair.publicKey.export({ format: 'jwk' })
  return JSON.stringify({ keys: [{ use: 'x509-svid', ...jwk, x5c: x5c(leaf) }] })
}

for (const [what, text, code] of refused)
  test(`refused: ${what}`, (t) => {
    t.throws(() => parseBundle(text), { code })
  })

const ams3Domain = parseTrustDomain('ams3.example')
const sfo2Domain = parseTrustDomain('sfo2.example')
const map = new Map([
  [ams3Domain, bundle],
  [sfo2Domain, { ...bundle, sequence: 1, authorities: [] }],
])

test('a map is written and read again', (t) => {
  const read = parseBundleMap(formatBundleMap(map))
  t.deepEqual([...read.keys()].map(String), ['ams3.example', 'sfo2.example'])
  t.is(formatBundleMap(read), formatBundleMap(map))
})

const inner = formatBundle(bundle)
const refusedMaps: readonly [string, string, string][] = [
  ['no JSON', 'x', 'ERR_BUNDLE_MAP_ILLEGAL'],
  ['no trust domains', '{}', 'ERR_BUNDLE_MAP_ILLEGAL'],
  ['a list of them', '{"trust_domains":[]}', 'ERR_BUNDLE_MAP_ILLEGAL'],
  [
    'a trust domain twice',
    `{"trust_domains":{"a":${inner},"a":${inner}}}`,
    'ERR_BUNDLE_MAP_ILLEGAL',
  ],
  [
    'a member twice inside of a key',
    '{"trust_domains":{"a":{"keys":[{"kty":"EC","kty":"RSA"}]}}}',
    'ERR_BUNDLE_MAP_ILLEGAL',
  ],
  [
    'a trust domain in upper case',
    `{"trust_domains":{"A":${inner}}}`,
    'ERR_SPIFFE_ID_TRUST_DOMAIN',
  ],
  [
    'one broken bundle among good ones',
    `{"trust_domains":{"a":${inner},"b":{}}}`,
    'ERR_BUNDLE_ILLEGAL',
  ],
]

for (const [what, text, code] of refusedMaps)
  test(`refused map: ${what}`, (t) => {
    t.throws(() => parseBundleMap(text), { code })
  })

test('a refusal names the bundle that is broken', (t) => {
  t.throws(() => parseBundleMap(`{"trust_domains":{"a":${inner},"b.c":{}}}`), {
    message: /^bundle of 'b\.c': illegal trust bundle: keys: /,
  })
})

test('a map only goes forward', (t) => {
  const at = (sequence: number, authorities = bundle.authorities) =>
    new Map([[ams3Domain, { ...bundle, sequence, authorities }]])
  assert(
    property(integer({ min: 0, max: 9 }), integer({ min: 0, max: 9 }), (from, to) => {
      if (to >= from) t.notThrows(() => requireForward(at(from), at(to)))
      else t.throws(() => requireForward(at(from), at(to)), { code: 'ERR_BUNDLE_OLDER' })
    }),
  )
  t.throws(() => requireForward(at(3), at(3, [])), { code: 'ERR_BUNDLE_CHANGED' })
  t.notThrows(() => requireForward(at(3), new Map()))
  t.notThrows(() => requireForward(new Map(), at(3)))
})
