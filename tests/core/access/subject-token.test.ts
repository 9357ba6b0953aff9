import test from 'ava'
import fc from 'fast-check'
import { verifySubjectToken, type TokenContext } from '../../../core/access/subject-token.ts'
import { formatTokenAudience, nkeyOfAudience } from '../../../core/access/token-audience.ts'
import { parseArchipelago } from '../../../core/archipelago.ts'
import { withIssuerKeys } from '../../../core/archipelago/issuer-keys.ts'
import { Refusal } from '../../../core/errors.ts'
import { good } from '../archipelago/example.ts'
import { ams3Cluster, builds, keyFiles, mesh, sfo2Cluster, withTokens } from './token-example.ts'
import {
  clusterIssuer,
  encodeToken,
  makeTokenIssuer,
  serviceAccountClaims,
  signWithPublicKey,
} from './token-issuer.ts'
import { makePair, nowMs, nowSeconds } from './trust.ts'

const archipelago = withIssuerKeys(
  parseArchipelago(withTokens(good), 'archipelago.yaml'),
  (path) => keyFiles[path],
)
const { publicKey: nkey } = makePair('user')
const { publicKey: thief } = makePair('user')
const audience = formatTokenAudience('archipelago', nkey)
const context: TokenContext = { archipelago, region: 'ams3', nkey, nowMs }

const claims = (changes: object = {}) => ({
  ...serviceAccountClaims({ audience, nowSeconds }),
  ...changes,
})
const buildClaims = (changes: object = {}) => ({
  iss: 'https://builds.example',
  sub: 'repo:shop/site:ref:refs/heads/main',
  aud: audience,
  iat: nowSeconds,
  exp: nowSeconds + 300,
  ...changes,
})
const meshClaims = (changes: object = {}) => ({
  sub: 'spiffe://mesh.example/shop/orders',
  aud: [audience],
  exp: nowSeconds + 300,
  ...changes,
})
const projectedClaims = (aud: unknown) => ({
  ...serviceAccountClaims({ name: 'projected', audience: 'archipelago', nowSeconds }),
  aud,
})

for (const [what, token, expected] of [
  [
    'a service account of its own cluster',
    ams3Cluster.sign(claims()),
    {
      name: 'ams3-cluster|system:serviceaccount:shop:orders',
      entry: 'roles.orders.identity[0]',
      endsAtMs: (nowSeconds + 600) * 1000,
    },
  ],
  [
    'one that names the nkey among others',
    ams3Cluster.sign(claims({ aud: ['https://elsewhere.example', audience] })),
    { entry: 'roles.orders.identity[0]' },
  ],
  [
    'a fixed audience of a role that says so',
    ams3Cluster.sign(projectedClaims(['archipelago'])),
    { entry: 'roles.projected.identity[0]' },
  ],
  [
    'the nkey where a fixed audience would do',
    ams3Cluster.sign(projectedClaims([audience])),
    { entry: 'roles.projected.identity[0]' },
  ],
  [
    'an OIDC token',
    builds.sign(buildClaims(), { typ: 'JWT' }),
    { name: 'builds|repo:shop/site:ref:refs/heads/main', entry: 'roles.builder.identity[0]' },
  ],
  [
    'a JWT-SVID',
    mesh.sign(meshClaims(), { typ: 'JWT' }),
    { name: 'spiffe://mesh.example/shop/orders', entry: 'roles.meshed.identity[0]' },
  ],
  [
    'a token from a clock that is 60 s ahead',
    ams3Cluster.sign(claims({ iat: nowSeconds + 60, nbf: nowSeconds + 60 })),
    { entry: 'roles.orders.identity[0]' },
  ],
] as const)
  test(`takes ${what}`, (t) => {
    t.like(verifySubjectToken(token, context), expected)
  })

test('takes the token of another cluster of the same name in its region, and there alone', (t) => {
  const token = sfo2Cluster.sign(claims())
  const { entry } = verifySubjectToken(token, { ...context, region: 'sfo2' })
  t.is(entry, 'roles.orders.identity[1]')
  t.is(refusalOf(token).code, 'ERR_TOKEN_KEY_ID')
})

const good3 = ams3Cluster.sign(claims())
const [header3 = '', , signature3 = ''] = good3.split('.')
const stranger = makeTokenIssuer('ams3-key')
const clock = `this clock says ${new Date(nowMs).toISOString()}`
const at = (seconds: number) => new Date(seconds * 1000).toISOString()
const account = (changes: object) => {
  const known = claims()['kubernetes.io'] as object
  return claims({ 'kubernetes.io': { ...known, ...changes } })
}

for (const [what, token, code, message] of [
  ['no token at all', 'token', 'ERR_JWS_ILLEGAL', 'illegal token: not three segments'],
  [
    'a megabyte of token',
    `${header3}.${'a'.repeat(2 ** 20)}.${signature3}`,
    'ERR_JWS_OVERSIZE',
    'token: over 16384 characters',
  ],
  [
    'no algorithm',
    `${encodeToken({ alg: 'none', kid: 'ams3-key' }, claims())}.AA`,
    'ERR_JWS_ALGORITHM',
    `token: algorithm '"none"'`,
  ],
  [
    'an empty signature',
    `${encodeToken({ alg: 'none' }, claims())}.`,
    'ERR_JWS_ILLEGAL',
    'illegal token: not three segments',
  ],
  [
    'an HMAC whose secret is the public key',
    signWithPublicKey(ams3Cluster, claims()),
    'ERR_JWS_ALGORITHM',
    `token: algorithm '"HS256"'`,
  ],
  [
    'an algorithm of another kind of key',
    ams3Cluster.sign(claims(), { alg: 'ES256' }),
    'ERR_TOKEN_KEY_ID',
    "token refused: key 'ams3-key' is for 'RS256' alone",
  ],
  [
    'another algorithm of the same key',
    ams3Cluster.sign(claims(), { alg: 'PS256' }),
    'ERR_TOKEN_KEY_ID',
    "token refused: key 'ams3-key' is for 'RS256' alone",
  ],
  [
    'a stranger with the same key id',
    stranger.sign(claims()),
    'ERR_JWS_SIGNATURE',
    'token: signature is wrong',
  ],
  [
    'claims that were changed',
    `${header3}.${encodeToken({}, claims({ jti: 'x' })).split('.')[1]}.${signature3}`,
    'ERR_JWS_SIGNATURE',
    'token: signature is wrong',
  ],
  [
    'an unknown key id',
    ams3Cluster.sign(claims(), { kid: 'other' }),
    'ERR_TOKEN_KEY_ID',
    "token refused: issuer ams3-cluster has no key 'other'",
  ],
  [
    'no key id',
    ams3Cluster.sign(claims(), { kid: undefined }),
    'ERR_TOKEN_KEY_ID',
    "token refused: issuer ams3-cluster has no key 'undefined'",
  ],
  [
    'a key id that cannot be made text',
    ams3Cluster.sign(claims(), { kid: { toString: 1 } }),
    'ERR_TOKEN_KEY_ID',
    `token refused: issuer ams3-cluster has no key '{"toString":1}'`,
  ],
  [
    'a key id of another issuer',
    builds.sign(claims()),
    'ERR_TOKEN_KEY_ID',
    "token refused: issuer ams3-cluster has no key 'builds-key'",
  ],
  [
    'a key of its own in the header',
    stranger.sign(claims(), { jwk: stranger.jwk }),
    'ERR_TOKEN_HEADER',
    "token refused: header 'jwk'",
  ],
  [
    'a header that has to be understood',
    ams3Cluster.sign(claims(), { crit: ['x'] }),
    'ERR_TOKEN_HEADER',
    "token refused: header 'crit'",
  ],
  [
    'a token of another type',
    ams3Cluster.sign(claims(), { typ: 'secevent+jwt' }),
    'ERR_TOKEN_HEADER',
    `token refused: type '"secevent+jwt"'`,
  ],
  [
    'an unknown issuer',
    ams3Cluster.sign(claims({ iss: 'https://evil.example' })),
    'ERR_TOKEN_ISSUER',
    "token refused: issuer is not one of ams3's: 'https://evil.example'",
  ],
  [
    'an issuer with a slash more',
    ams3Cluster.sign(claims({ iss: `${clusterIssuer}/` })),
    'ERR_TOKEN_ISSUER',
    `token refused: issuer is not one of ams3's: '${clusterIssuer}/'`,
  ],
  [
    'no issuer',
    ams3Cluster.sign(claims({ iss: undefined })),
    'ERR_TOKEN_ISSUER',
    "token refused: issuer is not one of ams3's: none",
  ],
  [
    'a trust domain as issuer',
    mesh.sign(claims({ iss: 'spiffe://mesh.example' })),
    'ERR_TOKEN_ISSUER',
    "token refused: issuer is not one of ams3's: 'spiffe://mesh.example'",
  ],
  [
    'no end',
    ams3Cluster.sign(claims({ exp: undefined })),
    'ERR_TOKEN_TIMES',
    'token refused: no end (exp)',
  ],
  [
    'an end that is text',
    ams3Cluster.sign(claims({ exp: `${nowSeconds + 600}` })),
    'ERR_TOKEN_TIMES',
    'token refused: no end (exp)',
  ],
  [
    'one that has ended',
    ams3Cluster.sign(claims({ exp: nowSeconds })),
    'ERR_TOKEN_EXPIRED',
    `token refused: it ended ${at(nowSeconds)}, ${clock}`,
  ],
  [
    'one that has not begun',
    ams3Cluster.sign(claims({ nbf: nowSeconds + 61 })),
    'ERR_TOKEN_NOT_YET_VALID',
    `token refused: it begins ${at(nowSeconds + 61)}, ${clock}`,
  ],
  [
    'one that was issued later',
    ams3Cluster.sign(claims({ nbf: undefined, iat: nowSeconds + 61 })),
    'ERR_TOKEN_NOT_YET_VALID',
    `token refused: it begins ${at(nowSeconds + 61)}, ${clock}`,
  ],
  [
    'no audience',
    ams3Cluster.sign(claims({ aud: undefined })),
    'ERR_TOKEN_AUDIENCE',
    'token refused: no audience',
  ],
  [
    "the API server's audience",
    ams3Cluster.sign(claims({ aud: [clusterIssuer] })),
    'ERR_TOKEN_AUDIENCE',
    `token refused: its audience is not ${audience}`,
  ],
  [
    'another nkey',
    ams3Cluster.sign(claims({ aud: [formatTokenAudience('archipelago', thief)] })),
    'ERR_TOKEN_BINDING',
    `token refused: it is for the nkey ${thief}`,
  ],
  [
    'the same nkey in another network',
    ams3Cluster.sign(claims({ aud: [formatTokenAudience('atoll', nkey)] })),
    'ERR_TOKEN_AUDIENCE',
    `token refused: its audience is not ${audience}`,
  ],
  [
    'a fixed audience of a role that does not say so',
    ams3Cluster.sign(claims({ aud: ['archipelago'] })),
    'ERR_TOKEN_AUDIENCE',
    `token refused: its audience is not ${audience}`,
  ],
  [
    'a fixed audience beside another',
    ams3Cluster.sign(projectedClaims(['archipelago', 'https://elsewhere.example'])),
    'ERR_TOKEN_AUDIENCE',
    `token refused: its audience is not ${audience}, nor 'archipelago' alone`,
  ],
  [
    'a fixed audience beside another nkey',
    ams3Cluster.sign(projectedClaims(['archipelago', formatTokenAudience('archipelago', thief)])),
    'ERR_TOKEN_BINDING',
    `token refused: it is for the nkey ${thief}`,
  ],
  [
    'another service account',
    ams3Cluster.sign(serviceAccountClaims({ name: 'other', audience, nowSeconds })),
    'ERR_TOKEN_SUBJECT',
    "token refused: no role is given to 'ams3-cluster|system:serviceaccount:shop:other'",
  ],
  [
    'another namespace',
    ams3Cluster.sign(serviceAccountClaims({ namespace: 'evil', audience, nowSeconds })),
    'ERR_TOKEN_SUBJECT',
    "token refused: no role is given to 'ams3-cluster|system:serviceaccount:evil:orders'",
  ],
  [
    'a subject of which its own claims know nothing',
    ams3Cluster.sign(account({ namespace: 'evil' })),
    'ERR_TOKEN_NAMESPACE',
    "token refused: its claims are of 'system:serviceaccount:evil:orders', its subject 'system:serviceaccount:shop:orders'",
  ],
  [
    'a service account that is not bound',
    ams3Cluster.sign(claims({ 'kubernetes.io': undefined })),
    'ERR_TOKEN_NAMESPACE',
    'token refused: no kubernetes.io claims of a bound service account',
  ],
  [
    'no subject',
    ams3Cluster.sign(claims({ sub: '' })),
    'ERR_TOKEN_SUBJECT',
    'token refused: no subject',
  ],
  [
    "a build's token for a service account's subject",
    builds.sign(buildClaims({ sub: 'system:serviceaccount:shop:orders' })),
    'ERR_TOKEN_SUBJECT',
    "token refused: no role is given to 'builds|system:serviceaccount:shop:orders'",
  ],
  [
    'a SPIFFE ID from an issuer that is no trust domain',
    builds.sign(buildClaims({ sub: 'spiffe://mesh.example/shop/orders' })),
    'ERR_JWT_SVID_KEY_ID',
    `JWT-SVID refused: no such key: '"builds-key"'`,
  ],
  [
    'a SPIFFE ID of a trust domain that is not known',
    mesh.sign(meshClaims({ sub: 'spiffe://other.example/shop/orders' })),
    'ERR_BUNDLE_UNKNOWN',
    "no bundle of trust domain 'other.example'",
  ],
  [
    'a SPIFFE ID that has no role',
    mesh.sign(meshClaims({ sub: 'spiffe://mesh.example/shop/other' })),
    'ERR_TOKEN_SUBJECT',
    "token refused: no role is given to 'spiffe://mesh.example/shop/other'",
  ],
  [
    'a JWT-SVID for another nkey',
    mesh.sign(meshClaims({ aud: [formatTokenAudience('archipelago', thief)] })),
    'ERR_JWT_SVID_AUDIENCE',
    `JWT-SVID refused: not for '${audience}'`,
  ],
] as const)
  test(`refuses ${what}`, (t) => {
    const refusal = refusalOf(token)
    t.is(refusal.code, code)
    t.is(refusal.message, message)
  })

function refusalOf(token: string): Refusal {
  try {
    verifySubjectToken(token, context)
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
  throw new Error('it was taken')
}

test('whatever else comes is refused, and not repeated', (t) => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), fc.string({ maxLength: 200 }), (a, b) => {
      const secret = 'secret-part-of-a-token'
      const { message } = refusalOf(`${a}.${b}.${secret}`)
      return !message.includes(secret)
    }),
  )
  t.pass()
})

test('no part of a good token can be another', (t) => {
  fc.assert(
    fc.property(fc.nat({ max: good3.length - 1 }), fc.constantFrom(...'aZ0_-.='), (index, by) => {
      const changed = good3.slice(0, index) + by + good3.slice(index + 1)
      return changed === good3 || refusalOf(changed) instanceof Refusal
    }),
  )
  t.pass()
})

test('an audience is read as it is written', (t) => {
  t.is(nkeyOfAudience('archipelago', audience), nkey)
  for (const other of [`${audience}x`, audience.toLowerCase(), audience.slice(1), 'archipelago'])
    t.is(nkeyOfAudience('archipelago', other), undefined)
})
