import test from 'ava'
import fc from 'fast-check'
import { generateKeyPairSync } from 'node:crypto'
import { withIssuerKeys } from '../../../core/archipelago/issuer-keys.ts'
import { parseArchipelago } from '../../../core/archipelago.ts'
import { Refusal } from '../../../core/errors.ts'
import { importJwkSet, readJwkSet } from '../../../core/identity/jwk-set.ts'
import { keyFiles, withTokens } from '../access/token-example.ts'
import { makeTokenIssuer } from '../access/token-issuer.ts'
import { good } from '../archipelago/example.ts'

const { jwk, publicKey } = makeTokenIssuer('a')
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })
const secret = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
  format: 'jwk',
})

test('reads the keys that verify tokens, and leaves out all others', (t) => {
  const keys = readJwkSet(
    {
      keys: [
        { ...jwk, kid: 'b', use: 'enc' },
        { kty: 'oct', kid: 'c', k: 'AAAA' },
        { kty: 'OKP', crv: 'Ed25519', kid: 'd', x: 'AAAA' },
        { ...jwk, use: undefined, 'x-more': [1] },
      ],
    },
    'sig',
  )
  t.deepEqual(
    keys.map(({ kid }) => kid),
    ['a'],
  )
  t.true(importJwkSet(keys).get('a')?.key.equals(publicKey))
  t.deepEqual(Object.keys(keys[0]?.jwk ?? {}).toSorted(), ['e', 'kty', 'n'])
})

for (const [what, value, message] of [
  ['no set', {}, 'illegal JWK set: keys: Invalid input: expected array, received undefined'],
  ['no key', { keys: [] }, 'illegal JWK set: no key by which a token can be verified'],
  [
    'a key without id',
    { keys: [{ ...jwk, kid: undefined }] },
    'illegal JWK set: a key without key id',
  ],
  ['a key id twice', { keys: [jwk, { ...jwk }] }, "illegal JWK set: key id twice: 'a'"],
  ['a private key', { keys: [{ ...secret, kid: 'a' }] }, 'illegal JWK: a private key'],
  // By 1 a signature is its own message: anybody can write one, and OpenSSL verifies it.
  ...[
    ['AQ', 1],
    ['Aw', 3],
    ['AQAC', 65_538],
  ].map(
    ([e, exponent]) =>
      [
        `a key with the exponent ${exponent}`,
        { keys: [{ ...jwk, e }] },
        `illegal JWK: RSA with the exponent ${exponent}`,
      ] as const,
  ),
  ['a weak key', { keys: [{ ...weak, kid: 'a' }] }, 'illegal JWK: RSA of 1024 bits, 2048 at least'],
] as const)
  test(`refuses ${what}`, (t) => {
    const refusal = t.throws(() => readJwkSet(value, 'sig'), { instanceOf: Refusal })
    t.is(refusal.message, message)
  })

test('whatever a set holds, it is read or refused, and what was read is read again', (t) => {
  const member = fc.oneof(fc.jsonValue(), fc.constantFrom('RSA', 'EC', 'P-256', 'sig', jwk.n))
  const named = fc.constantFrom('kty', 'crv', 'kid', 'use', 'alg', 'n', 'e', 'x', 'y', 'd')
  const changed = fc.dictionary(named, member).map((changes) => ({ ...jwk, ...changes }))
  fc.assert(
    fc.property(fc.array(fc.oneof(changed, fc.jsonValue()), { maxLength: 3 }), (keys) => {
      try {
        const read = readJwkSet({ keys }, 'sig')
        const again = read.map(({ jwk: half, ...rest }) => ({ ...half, ...rest }))
        t.deepEqual(readJwkSet({ keys: again }, 'sig'), read)
      } catch (error) {
        t.true(error instanceof Refusal, String(error))
      }
    }),
  )
})

for (const [what, text, message] of [
  ['is not there', undefined, 'no keys of issuer builds in builds.jwks.json'],
  ['is no JSON', 'x', 'keys of issuer builds in builds.jwks.json: illegal JWK set: not JSON'],
  [
    'says a thing twice',
    '{"keys":[],"keys":[]}',
    "keys of issuer builds in builds.jwks.json: illegal JWK set: two members named 'keys'",
  ],
] as const)
  test(`names the issuer whose file ${what}`, (t) => {
    const archipelago = parseArchipelago(withTokens(good), 'archipelago.yaml')
    const read = (path: string) => (path === 'builds.jwks.json' ? text : keyFiles[path])
    const refusal = t.throws(() => withIssuerKeys(archipelago, read), { instanceOf: Refusal })
    t.is(refusal.code, 'ERR_ISSUER_KEYS')
    t.is(refusal.message, message)
  })
