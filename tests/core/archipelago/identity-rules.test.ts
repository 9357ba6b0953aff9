import test from 'ava'
import { withTokens } from '../access/token-example.ts'
import { good, refusalOf } from './example.ts'

const yaml = withTokens(good)

test('reads issuers and who they vouch for', (t) => {
  t.deepEqual(refusalOf(yaml), [])
})

const orders = "{ issuer: ams3-cluster, subject: 'system:serviceaccount:shop:orders' }"

for (const [what, passage, by, rule] of [
  [
    'an unknown field',
    orders,
    '{ issuer: builds, subject: a, spiffe: b }',
    'roles.orders.identity.spiffe: unknown key',
  ],
  [
    'an entry that is neither',
    orders,
    '{ issuer: ams3-cluster }',
    'roles.orders.identity: must be issuer and subject, or spiffeId alone',
  ],
  [
    'an entry that is both',
    orders,
    "{ issuer: builds, subject: a, spiffeId: 'spiffe://a/b' }",
    'roles.orders.identity: must be issuer and subject, or spiffeId alone',
  ],
  [
    'an audience of a SPIFFE ID',
    orders,
    "{ spiffeId: 'spiffe://a/b', audience: c }",
    'roles.orders.identity: must be issuer and subject, or spiffeId alone',
  ],
  [
    'a wildcard',
    'system:serviceaccount:shop:orders',
    'system:serviceaccount:shop:*',
    "roles.orders.identity.subject: illegal subject: 'system:serviceaccount:shop:*' (exact: no wildcards)",
  ],
  [
    'a subject that no service account has',
    'system:serviceaccount:shop:orders',
    'orders',
    "roles.orders.identity.subject: must be system:serviceaccount:<namespace>:<name>: 'orders'",
  ],
  [
    'an issuer that is not listed',
    orders,
    '{ issuer: other, subject: a }',
    "roles.orders.identity.issuer: unknown issuer: 'other'",
  ],
  [
    'a trust domain as the issuer of a subject',
    orders,
    '{ issuer: mesh, subject: a }',
    'roles.orders.identity.issuer: issuer mesh is of kind jwt-svid: name a spiffeId',
  ],
  [
    'a trust domain as a workload',
    'spiffe://mesh.example/shop/orders',
    'spiffe://mesh.example',
    "roles.meshed.identity.spiffeId: illegal SPIFFE ID: 'spiffe://mesh.example' (spiffe://<trust domain>/<path>)",
  ],
  [
    'a subject with two roles',
    "issuer: builds, subject: 'repo:shop/site:ref:refs/heads/main'",
    "issuer: ams3-cluster, subject: 'system:serviceaccount:shop:orders'",
    "roles.builder.identity.subject: already of role orders: 'system:serviceaccount:shop:orders'",
  ],
  [
    'an audience in the form of an nkey’s',
    'audience: archipelago',
    "audience: 'archipelago:nkey:U'",
    "roles.projected.identity.audience: illegal audience: 'archipelago:nkey:U'",
  ],
  [
    'the door without anybody',
    'identity:\n      - { spiffeId: spiffe://mesh.example/shop/orders }',
    'identity: []',
    'roles.meshed.doors: role meshed needs an identity',
  ],
  [
    'somebody without the door',
    'doors: [identity]',
    'doors: [invite]',
    'roles.orders.identity: role orders needs the door identity',
  ],
  [
    'an outsider who can have a certificate of the network',
    "issuer: builds, subject: 'repo:shop/site:ref:refs/heads/main'",
    'spiffeId: spiffe://ams3.archipelago.example/workload/build',
    "roles.builder.identity.spiffeId: not outside of this network: 'spiffe://ams3.archipelago.example/workload/build'",
  ],
  [
    'an outsider by another door',
    'doors: [invite]',
    'doors: [invite]\n    outside: true',
    'roles.moderator.outside: role moderator needs the door identity',
  ],
  [
    'two issuers of one name in one region',
    'regions: [sfo2]',
    'regions: [sfo2, ams3]',
    "issuers.sfo2-cluster.issuer: also the issuer ams3-cluster of the same region: 'https://kubernetes.default.svc.cluster.local'",
  ],
  [
    'a region that is not there',
    'regions: [sfo2]',
    'regions: [fra1]',
    "issuers.sfo2-cluster.regions: unknown region: 'fra1'",
  ],
  [
    'an issuer that is no URL',
    'issuer: https://builds.example',
    'issuer: builds.example',
    "issuers.builds.issuer: must be an https URL: 'builds.example'",
  ],
  [
    'a trust domain that is a URL',
    'issuer: spiffe://mesh.example',
    'issuer: https://mesh.example',
    "issuers.mesh.issuer: must be spiffe://<trust domain>: 'https://mesh.example'",
  ],
  [
    'a file above the folder',
    'jwks: builds.jwks.json',
    'jwks: a/../../b.json',
    "issuers.builds.jwks: illegal path: 'a/../../b.json' (below the folder of archipelago.yaml, such as a/b.json)",
  ],
  [
    'a file anywhere',
    'jwks: builds.jwks.json',
    'jwks: /etc/keys.json',
    "issuers.builds.jwks: illegal path: '/etc/keys.json' (below the folder of archipelago.yaml, such as a/b.json)",
  ],
  [
    'an unknown kind',
    'kind: oidc',
    'kind: saml',
    "issuers.builds.kind: unknown kind: 'saml' (one of kubernetes, oidc, jwt-svid)",
  ],
] as const)
  test(`refuses ${what}`, (t) => {
    t.true(yaml.includes(passage), 'the passage is there')
    const lines = refusalOf(yaml.replace(passage, () => by))
    t.deepEqual(
      lines.map((line) => line.replace(/^archipelago\.yaml:\d+:\d+: /, '')),
      [rule],
    )
  })

test('refuses a role that takes the subjects of exchanges for itself', (t) => {
  const text = good.replace('chat.KUBECON.posts.*,', 'token.exchange.ams3,')
  t.regex(refusalOf(text).join(), /permissions under token\.exchange are added by the software/)
})
