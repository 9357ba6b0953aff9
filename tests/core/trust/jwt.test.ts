import * as peer from '@nats-io/jwt'
import { fromSeed } from '@nats-io/nkeys'
import test from 'ava'
import { formatTime } from '../../../core/time.ts'
import { assert, dictionary, integer, property, string } from 'fast-check'
import { decodeJwt, encodeJwt, requireAlive, type JwtBody } from '../../../core/trust/jwt.ts'
import { identity, nowSeconds, pairOf } from './example.ts'

const pair = pairOf('account', 'KUBECON')
const { publicKey: sub } = pairOf('user', 'alice')
const body = { type: 'user', version: 2 }
const good = encodeJwt({ iat: nowSeconds, sub, name: 'alice', nats: body }, pair)

test('what was signed comes back', (t) => {
  assert(
    property(integer({ min: 0 }), dictionary(string(), string()), string(), (iat, more, name) => {
      const nats: JwtBody = { ...more, ...body }
      const jwt = encodeJwt({ iat, sub, name, nats }, pair)
      t.deepEqual(decodeJwt('user', jwt.text).claims, jwt.claims as typeof good.claims)
    }),
    { numRuns: 50 },
  )
  t.pass()
})

test('jwt.js reads it as it was meant', (t) => {
  t.like(peer.decode(good.text), { iss: pair.publicKey, sub, name: 'alice', nats: body })
})

test('what jwt.js signs is taken', async (t) => {
  const user = fromSeed(Buffer.from(pairOf('user', 'alice').seed))
  const account = fromSeed(Buffer.from(pair.seed))
  const text = await peer.encodeUser('alice', user, account, {}, { scopedUser: true })
  t.like(decodeJwt('user', text).claims, { iss: pair.publicKey, sub, name: 'alice' })
})

test('the same claims have the same id, and others another', (t) => {
  const again = encodeJwt({ iat: nowSeconds, sub, name: 'alice', nats: body }, pair)
  const later = encodeJwt({ iat: nowSeconds + 1, sub, name: 'alice', nats: body }, pair)
  t.is(again.text, good.text)
  t.not(later.claims.jti, good.claims.jti)
  t.regex(good.claims.jti, /^[A-Z2-7]{52}$/)
})

const [head = '', payload = '', signature = ''] = good.text.split('.')
const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const claimed = (changed: object) =>
  `${head}.${encoded({ ...good.claims, ...changed })}.${signature}`

/** The last character has four bits to spare: the next one stands for the same bytes. */
const respelled =
  good.text.slice(0, -1) + String.fromCharCode((good.text.at(-1) ?? '').charCodeAt(0) + 1)

for (const [what, text, message] of [
  ['nothing', '', 'not three segments'],
  ['two segments', `${head}.${payload}`, 'not three segments'],
  ['four segments', `${good.text}.${signature}`, 'not three segments'],
  ['a segment that is empty', `${head}..${signature}`, 'not three segments'],
  ['a text without an end', 'a'.repeat(10_000_000), 'not three segments'],
  [
    'no algorithm',
    `${encoded({ typ: 'JWT' })}.${payload}.${signature}`,
    'algorithm is not ed25519-nkey',
  ],
  [
    'the algorithm none',
    `${encoded({ typ: 'JWT', alg: 'none' })}.${payload}.${signature}`,
    'algorithm is not ed25519-nkey',
  ],
  ['a payload that is not JSON', `${head}.aaaa.${signature}`, 'claims are missing'],
  ['a payload that is null', `${head}.${encoded(null)}.${signature}`, 'claims are missing'],
  ['no issuer', claimed({ iss: undefined }), 'claims are missing'],
  ['an issuer that is no key', claimed({ iss: 'somebody' }), 'claims are missing'],
  ['a fractional time', claimed({ iat: 1.5 }), 'claims are missing'],
  ['an end that is text', claimed({ exp: 'never' }), 'claims are missing'],
  ['a name that is not text', claimed({ name: {} }), 'claims are missing'],
  ['no NATS claims', claimed({ nats: undefined }), 'claims are missing'],
  ['another spelling of its signature', respelled, 'signature is not base64url'],
  ['a signature in base64', `${good.text}==`, 'signature is not base64url'],
] as const)
  test(`${what} is refused`, (t) => {
    t.throws(() => decodeJwt('user', text), {
      code: 'ERR_JWT_ILLEGAL',
      message: `illegal JWT: ${message}`,
    })
  })

test('a JWT of another type is refused', (t) => {
  t.throws(() => decodeJwt('account', good.text), {
    code: 'ERR_JWT_ILLEGAL',
    message: "illegal JWT: not of type account: 'user'",
  })
})

for (const [what, text, issuer] of [
  ['changed claims', claimed({ name: 'mallory' }), pair.publicKey],
  ['another issuer', claimed({ iss: identity.publicKey }), identity.publicKey],
  ['a signature that was cut', good.text.slice(0, -2), pair.publicKey],
] as const)
  test(`${what} have a signature that does not hold`, (t) => {
    t.throws(() => decodeJwt('user', text), {
      code: 'ERR_JWT_SIGNATURE',
      message: `JWT ${good.claims.jti}: signature is not by ${issuer}`,
    })
  })

test('a JWT is alive until its last second is over', (t) => {
  const jwt = encodeJwt({ iat: nowSeconds, exp: nowSeconds + 60, sub, nats: body }, pair)
  t.notThrows(() => requireAlive(jwt, nowSeconds + 59))
  t.throws(() => requireAlive(jwt, nowSeconds + 60), {
    code: 'ERR_JWT_EXPIRED',
    message: `JWT ${jwt.claims.jti}: ended ${formatTime((nowSeconds + 60) * 1000)}, this clock says ${formatTime((nowSeconds + 60) * 1000)}`,
  })
  t.notThrows(() => requireAlive(good, nowSeconds * 2), 'without an end it lives for ever')
})
