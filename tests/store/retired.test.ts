import test, { type ExecutionContext } from 'ava'
import { parseArchipelago } from '../../core/archipelago.ts'
import type { AccountJwt } from '../../core/trust/account.ts'
import { listOpenings } from '../../core/trust/push-rules.ts'
import { readPublishedAccounts } from '../../store/applied.ts'
import type { BootstrapOptions } from '../../store/operator.ts'
import { edited, file } from '../core/archipelago/example.ts'
import { nowSeconds } from '../core/trust/example.ts'
import { makeHomes, requireOperator, type TestHomes } from './home.ts'

const withLegacy = parseArchipelago(edited('doors: [lobby]', 'doors: [lobby, legacy]'), file)

/** The account of a door that was open, and is not any more. */
function retire(t: ExecutionContext) {
  const homes = makeHomes(t)
  const open = legacyOf(homes, { archipelago: withLegacy })
  return { homes, open, closed: legacyOf(homes, { nowSeconds: nowSeconds + 1 }) }
}

function legacyOf(homes: TestHomes, later: Partial<BootstrapOptions>): AccountJwt {
  const { accounts } = requireOperator(homes.bootstrap({}, later))
  const account = accounts.find(({ claims }) => claims.name === 'LEGACY')
  if (account === undefined) throw new RangeError('no account LEGACY')
  return account
}

test('an account that is not declared any more is closed', (t) => {
  const { homes, open, closed } = retire(t)
  t.is(closed.claims.sub, open.claims.sub)
  t.true(closed.claims.iat > open.claims.iat)
  t.like(closed.claims.nats, { signing_keys: [], imports: [], exports: [] })
  t.like(closed.claims.nats.limits, { conn: 0, leaf: 0, disallow_bearer: true })
  t.deepEqual(listOpenings(closed), [])
  const published = readPublishedAccounts(homes.options.files, homes.homes)
  t.true(published.some(({ text }) => text === closed.text))
})

test('it stays closed, byte for byte', (t) => {
  const { homes, closed } = retire(t)
  t.is(legacyOf(homes, { nowSeconds: nowSeconds + 2 }).text, closed.text)
})

test('it opens again as the same account with another key', (t) => {
  const { homes, open, closed } = retire(t)
  const again = legacyOf(homes, { archipelago: withLegacy, nowSeconds })
  t.is(again.claims.sub, open.claims.sub)
  t.true(again.claims.iat > closed.claims.iat)
  t.deepEqual(again.claims.nats.limits, open.claims.nats.limits)
  const keys = (account: AccountJwt) => account.claims.nats.signing_keys.map(({ key }) => key)
  t.true(keys(again).length > 0)
  t.true(keys(again).some((key) => !keys(open).includes(key)))
})

test('accounts that are declared are never closed', (t) => {
  const homes = makeHomes(t)
  const { accounts } = requireOperator(homes.bootstrap())
  t.deepEqual(
    accounts.map(({ claims }) => claims.name),
    ['SYS', 'ACCESS', 'LOBBY', 'KUBECON'],
  )
})
