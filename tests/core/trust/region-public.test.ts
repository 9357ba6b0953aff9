import test from 'ava'
import { formatRegionPublic, parseRegionPublic } from '../../../core/trust/region-public.ts'
import {
  formatClusterIssuer,
  formatJwkSet,
  parseClusterIssuer,
} from '../../../core/identity/cluster-issuer.ts'
import { makeTokenIssuer } from '../access/token-issuer.ts'
import { archipelago, regionKeysOf } from './example.ts'

const keys = regionKeysOf('ams3')
const data = formatRegionPublic(keys, archipelago)
const map = (entries: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'region-public', uid: '1' },
  data: entries,
})

test('what a cluster publishes is read as JSON and as YAML', (t) => {
  const json = JSON.stringify(map({ ...data, 'identity.csr': 'pem' }))
  t.deepEqual(parseRegionPublic(json), { keys, requests: { identity: 'pem' } })
  const yaml = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: region-public\ndata:\n  region.json: '${JSON.stringify(keys)}'\n`
  t.deepEqual(parseRegionPublic(yaml), { keys, requests: {} })
})

test('whom each leafnode server admits is its own function alone', (t) => {
  for (const door of ['lobby', 'invite'] as const) {
    const nkeys = [...(data[`leafnode-${door}.conf`] ?? '').matchAll(/nkey: "(\w+)"/g)]
    t.deepEqual(
      nkeys.map(([, nkey]) => nkey),
      [keys.doors[door]?.nkey],
    )
  }
})

for (const [title, text, message] of [
  ['a Secret', JSON.stringify({ ...map(data), kind: 'Secret' }), /: kind: /],
  [
    'another ConfigMap',
    JSON.stringify({ ...map(data), metadata: { name: 'x' } }),
    /: metadata\.name/,
  ],
  ['one without keys', JSON.stringify(map({})), /: no region\.json$/],
  ['no YAML', '{"a": ', /: neither JSON nor YAML$/],
  ['a bomb of aliases', 'a: &a [1]\nb: [*a, *a]\n', /: with aliases$/],
  ['what is too long', 'x'.repeat(300_000), /: larger than 262144 bytes$/],
] as const)
  test(`refuses ${title}`, (t) => {
    const code = 'ERR_REGION_PUBLIC_ILLEGAL'
    t.regex(t.throws(() => parseRegionPublic(text), { code })?.message ?? '', message)
  })

const issuer = makeTokenIssuer('one')
const tokens = (entries: object) =>
  JSON.stringify(map({ ...data, 'token-issuer.json': JSON.stringify(entries) }))

test('who signs the tokens of the cluster is read, with the public keys and nothing else', (t) => {
  const text = tokens({ issuer: 'https://a.example', keys: [{ ...issuer.jwk, x5c: ['x'] }] })
  const read = parseRegionPublic(text).issuer
  t.is(read?.issuer, 'https://a.example')
  t.deepEqual(
    read?.keys.map(({ kid }) => kid),
    ['one'],
  )
  t.notRegex(formatJwkSet(read?.keys ?? []), /x5c/)
  t.deepEqual(read && parseClusterIssuer(formatClusterIssuer(read)), read)
})

for (const [title, entries, code] of [
  ['an issuer without TLS', { issuer: 'http://a.example', keys: [issuer.jwk] }, 'ERR_ISSUER_KEYS'],
  ['no issuer', { keys: [issuer.jwk] }, 'ERR_ISSUER_KEYS'],
  ['no keys', { issuer: 'https://a.example', keys: [] }, 'ERR_ISSUER_KEYS'],
  [
    'a private key',
    { issuer: 'https://a.example', keys: [{ ...issuer.jwk, d: 'AQAB' }] },
    'ERR_JWK_PRIVATE',
  ],
] as const)
  test(`of the cluster's tokens ${title} is refused`, (t) => {
    t.throws(() => parseRegionPublic(tokens(entries)), { code })
  })

test('refuses keys that are not exactly public halves', (t) => {
  const planted = { ...keys, leafnodeUser: 'SUAxxx' }
  const text = JSON.stringify(map({ 'region.json': JSON.stringify(planted) }))
  t.throws(() => parseRegionPublic(text), { code: 'ERR_REGION_KEYS_ILLEGAL' })
})
