import { constants, createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import test from 'ava'
import { assert, property, string } from 'fast-check'
import type { Bundle, BundleMap } from '../../../core/identity/bundle.ts'
import { verifyJwtSvid } from '../../../core/identity/jwt-svid.ts'
import { parseTrustDomain } from '../../../core/identity/spiffe-id.ts'
import { Refusal } from '../../../core/errors.ts'
import { makePair, nowMs } from './forge.ts'

const nowSeconds = nowMs / 1000
const audience = 'UAUDIENCE'
const p256 = makePair()
const p384 = makePair('P-384')
const p521 = makePair('P-521')
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const sfo2 = makePair()

const bundleOf = (jwtKeys: Record<string, KeyObject>): Bundle => ({
  sequence: 1,
  refreshHintSeconds: 300,
  authorities: [],
  jwtKeys: new Map(Object.entries(jwtKeys)),
})
const bundles: BundleMap = new Map([
  [
    parseTrustDomain('ams3.example'),
    bundleOf({
      p256: p256.publicKey,
      p384: p384.publicKey,
      p521: p521.publicKey,
      rsa: rsa.publicKey,
    }),
  ],
  [parseTrustDomain('sfo2.example'), bundleOf({ sfo2: sfo2.publicKey })],
])

type Json = Record<string, unknown>
const encode = (value: Json | string) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

interface Made {
  readonly header?: Json | string
  readonly claims?: Json | string
  readonly key?: KeyObject
}
const goodHeader = { alg: 'ES256', kid: 'p256', typ: 'JWT' }
const goodClaims = {
  sub: 'spiffe://ams3.example/workload/orders',
  aud: [audience],
  exp: nowSeconds + 300,
  iat: nowSeconds,
}

function make({ header = {}, claims = {}, key = p256.privateKey }: Made = {}): string {
  const head = typeof header === 'string' ? header : { ...goodHeader, ...header }
  const body = typeof claims === 'string' ? claims : { ...goodClaims, ...claims }
  const signed = `${encode(head)}.${encode(body)}`
  const { alg } = typeof head === 'string' ? goodHeader : head
  return `${signed}.${signWith(alg, key, Buffer.from(signed)).toString('base64url')}`
}

function signWith(alg: string, key: KeyObject, bytes: Buffer): Buffer {
  const hash = `sha${alg.slice(2)}`
  if (alg.startsWith('ES')) return sign(hash, bytes, { key, dsaEncoding: 'ieee-p1363' })
  if (alg.startsWith('PS'))
    return sign(hash, bytes, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: -1 })
  if (alg.startsWith('RS')) return sign(hash, bytes, key)
  return sign('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' })
}

const verify = (token: string, nowMsThen = nowMs) =>
  verifyJwtSvid(token, { bundles, audience, nowMs: nowMsThen })

test('a good token names its subject, its audience and its end', (t) => {
  const { id, audience: heard, expiresAtMs } = verify(make())
  t.is(String(id), goodClaims.sub)
  t.deepEqual(heard, [audience])
  t.is(expiresAtMs, nowMs + 300_000)
})

const algorithms: readonly [string, string, KeyObject][] = [
  ['ES256', 'p256', p256.privateKey],
  ['ES384', 'p384', p384.privateKey],
  ['ES512', 'p521', p521.privateKey],
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map(
    (alg) => [alg, 'rsa', rsa.privateKey] as [string, string, KeyObject],
  ),
]
for (const [alg, kid, key] of algorithms)
  test(`accepted: ${alg}`, (t) => {
    t.notThrows(() => verify(make({ header: { alg, kid }, key })))
  })

const accepted: readonly [string, Made][] = [
  ['an audience that is one text', { claims: { aud: audience } }],
  ['an audience among others', { claims: { aud: ['x', audience] } }],
  ['no type', { header: { typ: undefined } }],
  ['the type JOSE', { header: { typ: 'JOSE' } }],
  ['its end 59 s ago', { claims: { exp: nowSeconds - 59 } }],
  ['its beginning in 60 s', { claims: { nbf: nowSeconds + 60, iat: nowSeconds + 60 } }],
  ['claims of its own', { claims: { more: { a: 1 } } }],
]
for (const [what, made] of accepted)
  test(`accepted: ${what}`, (t) => {
    t.notThrows(() => verify(make(made)))
  })

const hmac = (alg: string): string => {
  const signed = `${encode({ ...goodHeader, alg })}.${encode(goodClaims)}`
  const secret = p256.publicKey.export({ format: 'pem', type: 'spki' })
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}
const unsigned = (header: Json) => `${encode({ ...goodHeader, ...header })}.${encode(goodClaims)}.`

const refused: readonly [string, string, string][] = [
  ['nothing', '', 'ERR_JWS_ILLEGAL'],
  ['two segments', 'a.b', 'ERR_JWS_ILLEGAL'],
  ['five segments', 'a.b.c.d.e', 'ERR_JWS_ILLEGAL'],
  ['a mebibyte', make({ claims: { more: 'x'.repeat(1024 * 1024) } }), 'ERR_JWS_OVERSIZE'],
  ['padding', `${make()}=`, 'ERR_JWS_ILLEGAL'],
  ['a line end', `${make()}\n`, 'ERR_JWS_ILLEGAL'],
  ['stray bits in its signature', strayBits(make()), 'ERR_JWS_ILLEGAL'],
  ['a header that is no object', make({ header: '[]' }), 'ERR_JWS_ILLEGAL'],
  ['a subject twice', make({ claims: '{"sub":"a","sub":"b"}' }), 'ERR_JWS_ILLEGAL'],
  ['an algorithm twice', make({ header: '{"alg":"ES256","alg":"none"}' }), 'ERR_JWS_ILLEGAL'],
  ['alg none', unsigned({ alg: 'none' }) + 'AA', 'ERR_JWS_ALGORITHM'],
  ['alg none without a signature', unsigned({ alg: 'none' }), 'ERR_JWS_ILLEGAL'],
  ['alg None', unsigned({ alg: 'None' }) + 'AA', 'ERR_JWS_ALGORITHM'],
  ['no alg', unsigned({ alg: undefined }) + 'AA', 'ERR_JWS_ALGORITHM'],
  ['HS256 with the public key', hmac('HS256'), 'ERR_JWS_ALGORITHM'],
  ['EdDSA', make({ header: { alg: 'EdDSA' } }), 'ERR_JWS_ALGORITHM'],
  ['a name of an object for alg', make({ header: { alg: 'constructor' } }), 'ERR_JWS_ALGORITHM'],
  ['a critical header', make({ header: { crit: ['b64'], b64: false } }), 'ERR_JWT_SVID_HEADER'],
  ['a key in its header', make({ header: { jwk: {} } }), 'ERR_JWT_SVID_HEADER'],
  ['a place to fetch keys from', make({ header: { jku: 'https://x' } }), 'ERR_JWT_SVID_HEADER'],
  ['another type', make({ header: { typ: 'at+jwt' } }), 'ERR_JWT_SVID_TYPE'],
  ['no key id', make({ header: { kid: undefined } }), 'ERR_JWT_SVID_KEY_ID'],
  ['a key id that is not known', make({ header: { kid: 'x' } }), 'ERR_JWT_SVID_KEY_ID'],
  [
    'another trust domain’s key',
    make({ header: { kid: 'sfo2' }, key: sfo2.privateKey }),
    'ERR_JWT_SVID_KEY_ID',
  ],
  ['a key of another curve', make({ header: { kid: 'p384' } }), 'ERR_JWS_KEY'],
  ['an RSA key for ES256', make({ header: { kid: 'rsa' } }), 'ERR_JWS_KEY'],
  ['another key’s signature', make({ key: sfo2.privateKey }), 'ERR_JWS_SIGNATURE'],
  ['PS256 signed as RS256', swapAlgorithm(), 'ERR_JWS_SIGNATURE'],
  ['a signature in DER', derSignature(), 'ERR_JWS_SIGNATURE'],
  ['no subject', make({ claims: { sub: undefined } }), 'ERR_JWT_SVID_SUBJECT'],
  ['a number for its subject', make({ claims: { sub: 1 } }), 'ERR_JWT_SVID_SUBJECT'],
  [
    'a trust domain for its subject',
    make({ claims: { sub: 'spiffe://ams3.example' } }),
    'ERR_JWT_SVID_SUBJECT',
  ],
  [
    'a subject that is no SPIFFE ID',
    make({ claims: { sub: 'system:serviceaccount:a:b' } }),
    'ERR_SPIFFE_ID_SCHEME',
  ],
  [
    'a trust domain that is not known',
    make({ claims: { sub: 'spiffe://fra1.example/x' } }),
    'ERR_BUNDLE_UNKNOWN',
  ],
  ['no end', make({ claims: { exp: undefined } }), 'ERR_JWT_SVID_EXPIRY'],
  ['a text for its end', make({ claims: { exp: '1900000000' } }), 'ERR_JWT_SVID_EXPIRY'],
  ['an end beyond time', make({ claims: { exp: 1e15 } }), 'ERR_JWT_SVID_EXPIRY'],
  ['its end 60 s ago', make({ claims: { exp: nowSeconds - 60 } }), 'ERR_JWT_SVID_EXPIRED'],
  [
    'its beginning in 61 s',
    make({ claims: { nbf: nowSeconds + 61 } }),
    'ERR_JWT_SVID_NOT_YET_VALID',
  ],
  ['made in the future', make({ claims: { iat: nowSeconds + 61 } }), 'ERR_JWT_SVID_NOT_YET_VALID'],
  ['a text for its beginning', make({ claims: { nbf: 'now' } }), 'ERR_JWT_SVID_EXPIRY'],
  ['another audience', make({ claims: { aud: ['x'] } }), 'ERR_JWT_SVID_AUDIENCE'],
  [
    'the beginning of the audience',
    make({ claims: { aud: [`${audience}x`] } }),
    'ERR_JWT_SVID_AUDIENCE',
  ],
  ['no audience', make({ claims: { aud: undefined } }), 'ERR_JWT_SVID_AUDIENCE'],
  ['an empty audience', make({ claims: { aud: [] } }), 'ERR_JWT_SVID_AUDIENCE'],
  ['an audience with a number', make({ claims: { aud: [audience, 1] } }), 'ERR_JWT_SVID_AUDIENCE'],
]

/** The last character of 64 bytes has two bits that mean nothing. */
function strayBits(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return token.slice(0, -1) + alphabet[alphabet.indexOf(token.at(-1) as string) + 1]
}

function swapAlgorithm(): string {
  const signed = `${encode({ alg: 'PS256', kid: 'rsa' })}.${encode(goodClaims)}`
  return `${signed}.${sign('sha256', Buffer.from(signed), rsa.privateKey).toString('base64url')}`
}

function derSignature(): string {
  const signed = `${encode(goodHeader)}.${encode(goodClaims)}`
  return `${signed}.${sign('sha256', Buffer.from(signed), p256.privateKey).toString('base64url')}`
}

for (const [what, token, code] of refused)
  test(`refused: ${what}`, (t) => {
    const error = t.throws(() => verify(token), { code })
    t.false(error?.message.includes(token.split('.')[2] || 'none'), 'no token in a message')
  })

test('both clocks are named', (t) => {
  t.throws(() => verify(make(), nowMs + 600_000), {
    message:
      'JWT-SVID refused: ended 2026-06-01T12:05:00.000Z, this clock says 2026-06-01T12:10:00.000Z',
  })
})

test('no text but a token is one', (t) => {
  assert(
    property(string(), string(), string(), (a, b, c) => {
      for (const token of [`${a}.${b}.${c}`, `${encode(a)}.${encode(b)}.${encode(c)}`])
        t.throws(() => verify(token), { instanceOf: Refusal })
    }),
    { numRuns: 300 },
  )
  t.pass()
})
