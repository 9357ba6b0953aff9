import * as peer from '@nats-io/jwt'
import { fromSeed } from '@nats-io/nkeys'
import test from 'ava'
import { encodeJwt } from '../../../core/trust/jwt.ts'
import { parseOperator } from '../../../core/trust/operator.ts'
import { identity, nowSeconds, operator, pairOf, signer } from './example.ts'

test('an operator JWT comes back', (t) => t.deepEqual(parseOperator(operator.text), operator))

test('it insists on its signing keys, of which it has two', (t) => {
  t.is(operator.claims.nats.signing_keys.length, 2)
  t.true(operator.claims.nats.strict_signing_key_usage)
  t.like(peer.decode(operator.text), { sub: identity.publicKey, nats: operator.claims.nats })
})

test('one of jwt.js is taken when it insists on signing keys', async (t) => {
  const key = fromSeed(Buffer.from(identity.seed))
  const strict = { signing_keys: [signer.publicKey], strict_signing_key_usage: true }
  t.is(parseOperator(await peer.encodeOperator('KO', key, strict)).claims.name, 'KO')
  const loose = await peer.encodeOperator('KO', key, { signing_keys: [signer.publicKey] })
  t.throws(() => parseOperator(loose), {
    code: 'ERR_CHAIN_BROKEN',
    message: `operator ${identity.publicKey}: signing keys are not strictly used`,
  })
})

const claims = { iat: nowSeconds, sub: identity.publicKey, name: 'archipelago' }
for (const [what, text, message] of [
  [
    'one that a signing key signed',
    encodeJwt({ ...claims, nats: operator.claims.nats }, signer).text,
    `operator ${identity.publicKey}: signed by another: ${signer.publicKey}`,
  ],
  [
    'one without signing keys',
    encodeJwt(
      { ...claims, nats: { type: 'operator', version: 2, strict_signing_key_usage: true } },
      identity,
    ).text,
    `operator ${identity.publicKey}: signing keys are not strictly used`,
  ],
] as const)
  test(`${what} is refused`, (t) => {
    t.throws(() => parseOperator(text), { code: 'ERR_CHAIN_BROKEN', message })
  })

test('the JWT of an account is refused', (t) => {
  const account = pairOf('account', 'SYS')
  const nats = { type: 'account', version: 2 }
  const jwt = encodeJwt({ iat: nowSeconds, sub: account.publicKey, nats }, signer)
  t.throws(() => parseOperator(jwt.text), {
    code: 'ERR_JWT_ILLEGAL',
    message: "illegal JWT: not of type operator: 'account'",
  })
})
