import * as peer from '@nats-io/jwt'
import test from 'ava'
import { assert, integer, property } from 'fast-check'
import { parseAccount, signAccount } from '../../../core/trust/account.ts'
import { encodeJwt } from '../../../core/trust/jwt.ts'
import type { Nkey } from '../../../core/trust/nkey.ts'
import { accountOf, accounts, identity, nowSeconds, operator, signer, stranger } from './example.ts'

const account = accountOf('KUBECON')
const { name = '', sub, nats: body } = account.claims
const declared = { name, publicKey: sub as Nkey<'account'>, body }
const changed = { ...declared, body: { ...body, limits: { ...body.limits, conn: 7 } } }

for (const each of accounts)
  test(`account ${each.claims.name} comes back, and jwt.js reads it`, (t) => {
    t.deepEqual(parseAccount(each.text, operator), each)
    t.like(peer.decode(each.text), { iss: signer.publicKey, nats: each.claims.nats })
  })

test('what did not change keeps its bytes', (t) => {
  const again = signAccount(signer, declared, { nowSeconds: nowSeconds + 99, previous: account })
  t.is(again, account)
})

test('a change is later than what was before it, within the same second and with a clock gone back', (t) => {
  assert(
    property(integer({ min: -100_000, max: 100_000 }), (seconds) => {
      const now = nowSeconds + seconds
      const { claims } = signAccount(signer, changed, { nowSeconds: now, previous: account })
      t.is(claims.iat, Math.max(now, account.claims.iat + 1))
    }),
  )
  t.pass()
})

for (const [what, other] of [
  ['another name', { ...declared, name: 'NATSCON' }],
  ['another key', { ...declared, publicKey: accountOf('LOBBY').claims.sub as Nkey<'account'> }],
  ['another limit', changed],
] as const)
  test(`${what} is a change`, (t) => {
    t.not(signAccount(signer, other, { nowSeconds, previous: account }).text, account.text)
  })

for (const [what, by] of [
  ['a stranger', stranger],
  ["the operator's identity key", identity],
] as const)
  test(`an account that ${what} signed is foreign`, (t) => {
    const foreign = signAccount(by, declared, { nowSeconds, previous: undefined })
    t.throws(() => parseAccount(foreign.text, operator), {
      code: 'ERR_ACCOUNT_FOREIGN',
      message: `account ${sub}: signed by a foreign operator: ${by.publicKey}`,
    })
  })

for (const [what, key] of [
  ['a plain signing key', sub],
  ['a signing key of another kind', { kind: 'auth_callout', key: sub }],
] as const)
  test(`an account with ${what} is refused: it could mint anything`, (t) => {
    const nats = { ...body, signing_keys: [...body.signing_keys, key] }
    const { text } = encodeJwt({ iat: nowSeconds, sub, name, nats }, signer)
    t.throws(() => parseAccount(text, operator), {
      code: 'ERR_CHAIN_BROKEN',
      message: `account ${sub}: has a signing key without a ceiling`,
    })
  })
