import { readFileSync, statSync } from 'node:fs'
import test from 'ava'
import { verifyChain } from '../../core/trust/chain.ts'
import { parseCreds } from '../../core/trust/creds.ts'
import { serviceUserNames, serviceUsers } from '../../core/trust/declare.ts'
import { credentialSecondsMax, serviceLifetimeSeconds } from '../../core/trust/lifetime.ts'
import {
  keepPublicCreds,
  keepServiceCreds,
  mintServiceCreds,
} from '../../store/service-credential.ts'
import { archipelago, nowSeconds } from '../core/trust/example.ts'
import { makeHomes, requireOperator } from './home.ts'

for (const user of serviceUserNames(archipelago))
  test(`a credential of ${user} leads to the operator, under its own ceiling`, (t) => {
    const home = requireOperator(makeHomes(t).bootstrap())
    const creds = mintServiceCreds(home, user, { nowSeconds })
    const account = home.accounts.find(({ claims }) => claims.name === serviceUsers[user].account)
    const { scope } = verifyChain(
      { userJwt: creds.user.text, accountJwt: account?.text ?? '' },
      { operator: home.operator, nowSeconds },
    )
    t.is(scope.role, user)
    t.is(creds.user.claims.exp, nowSeconds + (credentialSecondsMax(archipelago, user) ?? 0))
    t.is(creds.user.claims.sub, creds.pair.publicKey)
  })

test('each has a key of its own, and none is kept', (t) => {
  const home = requireOperator(makeHomes(t).bootstrap())
  const [one, other] = [
    mintServiceCreds(home, 'pusher', { nowSeconds }),
    mintServiceCreds(home, 'pusher', { nowSeconds }),
  ]
  t.not(one.pair.publicKey, other.pair.publicKey)
})

test('a user without a signing key is refused', (t) => {
  const home = requireOperator(makeHomes(t).bootstrap())
  t.throws(() => mintServiceCreds(home, 'legacy-requestor', { nowSeconds }), {
    code: 'ERR_KEY_NOT_HERE',
    message: 'no signing key of legacy-requestor in account LEGACY',
  })
})

test('a kept credential is the same until half of its life is over', (t) => {
  const home = requireOperator(makeHomes(t).bootstrap())
  const keep = (later: number) =>
    readFileSync(keepServiceCreds(home, 'lobby', nowSeconds + later), 'utf8')
  const half = serviceLifetimeSeconds.lobby / 2
  const first = keep(0)
  t.is(keep(half - 1), first)
  t.not(keep(half), first)
})

test('a kept credential of a key that is not published any more is not handed out', (t) => {
  const homes = makeHomes(t)
  const home = requireOperator(homes.bootstrap())
  const path = keepServiceCreds(home, 'lobby', nowSeconds)
  const first = readFileSync(path, 'utf8')
  const other = requireOperator(makeHomes(t).bootstrap())
  const stolen = { accounts: other.accounts, store: { ...other.store, keys: home.store.keys } }
  t.throws(() => keepServiceCreds(stolen, 'lobby', nowSeconds), { code: 'ERR_KEY_NOT_HERE' })
  t.is(readFileSync(path, 'utf8'), first)
})

test('what lies in the store is what anybody may have: the credential of the lobby', (t) => {
  const home = requireOperator(makeHomes(t).bootstrap())
  keepPublicCreds(home, nowSeconds)
  const path = keepServiceCreds(home, 'lobby', nowSeconds)
  t.is(parseCreds(readFileSync(path, 'utf8')).user.claims.name, 'lobby')
  t.is(statSync(path).mode & 0o777, 0o600)
})
