import test from 'ava'
import type { AccountJwt } from '../../../core/trust/account.ts'
import { signAccount } from '../../../core/trust/account.ts'
import { verifyChain } from '../../../core/trust/chain.ts'
import { encodeJwt } from '../../../core/trust/jwt.ts'
import type { Nkey, NkeyPair } from '../../../core/trust/nkey.ts'
import { signUser, type UserJwt } from '../../../core/trust/user.ts'
import { accountOf, nowSeconds, operator, pairOf, signer, stranger } from './example.ts'

const account = accountOf('KUBECON')
const alice = pairOf('user', 'alice').publicKey
const key = pairOf('account', 'member.lobby.ams3')
const lifeSeconds = 3600

const userOf = (by: NkeyPair<'account'>, of: AccountJwt = account): UserJwt =>
  signUser(by, {
    publicKey: alice,
    name: 'alice',
    account: of.claims.sub as Nkey<'account'>,
    issuedAtSeconds: nowSeconds,
    expiresAtSeconds: nowSeconds + lifeSeconds,
  })
const user = userOf(key)
const verify = (user: UserJwt, { text }: AccountJwt = account, atSeconds = nowSeconds) =>
  verifyChain({ userJwt: user.text, accountJwt: text }, { operator, nowSeconds: atSeconds })

/** The account with something else in it. */
function changed(body: Partial<AccountJwt['claims']['nats']>, by = signer): AccountJwt {
  const { name = '', sub, nats } = account.claims
  const declared = { name, publicKey: sub as Nkey<'account'>, body: { ...nats, ...body } }
  return signAccount(by, declared, { nowSeconds, previous: undefined })
}

test('a chain leads from the user to the operator, and names the ceiling', (t) => {
  const { user: verified, scope } = verify(user)
  t.is(verified.claims.sub, alice)
  t.is(scope.role, 'member.lobby.ams3')
})

const revokedAt = (seconds: number) => changed({ revocations: { [alice]: seconds } })

test('a revocation holds for what was issued until then, the same second included', (t) => {
  for (const seconds of [nowSeconds, nowSeconds + 1, 253_402_214_400])
    t.throws(() => verify(user, revokedAt(seconds)), {
      code: 'ERR_CHAIN_BROKEN',
      message: `user ${alice}: revoked`,
    })
  t.notThrows(() => verify(user, revokedAt(nowSeconds - 1)))
})

test('a user that is over is refused', (t) => {
  t.throws(() => verify(user, account, nowSeconds + lifeSeconds), {
    code: 'ERR_JWT_EXPIRED',
    message: /^JWT \S+: ended (\S+Z), this clock says \1$/,
  })
})

const identity = pairOf('account', 'KUBECON')
const withdrawn = changed({
  signing_keys: account.claims.nats.signing_keys.filter((scope) => scope.key !== key.publicKey),
})
for (const [what, user, of, message] of [
  [
    "the account's identity key",
    userOf(identity),
    account,
    `not signed by its account's keys: ${identity.publicKey}`,
  ],
  [
    'a key of another account',
    userOf(pairOf('account', 'lobby')),
    account,
    `not signed by its account's keys: ${pairOf('account', 'lobby').publicKey}`,
  ],
  [
    'a key that was withdrawn',
    userOf(key),
    withdrawn,
    `not signed by its account's keys: ${key.publicKey}`,
  ],
  [
    'a key for another account',
    userOf(key, accountOf('SYS')),
    account,
    `of another account: ${accountOf('SYS').claims.sub}`,
  ],
] as const)
  test(`a user by ${what} is refused`, (t) => {
    t.throws(() => verify(user, of), {
      code: 'ERR_CHAIN_BROKEN',
      message: `user ${alice}: ${message}`,
    })
  })

test('a chain to another operator is refused', (t) => {
  t.throws(() => verify(user, changed({}, stranger)), {
    code: 'ERR_ACCOUNT_FOREIGN',
    message: `account ${account.claims.sub}: signed by a foreign operator: ${stranger.publicKey}`,
  })
})

test('a user that signed itself is refused', (t) => {
  const own = encodeJwt({ ...user.claims }, pairOf('user', 'alice'))
  t.throws(() => verify(own), {
    code: 'ERR_CHAIN_BROKEN',
    message: `user ${alice}: not signed by its account's keys: ${alice}`,
  })
})
