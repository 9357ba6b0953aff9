import test from 'ava'
import {
  accountSecondsMax,
  clockSkewSecondsMax,
  credentialSecondsMax,
} from '../../../core/trust/lifetime.ts'
import { accountOf, accounts, archipelago } from './example.ts'

const [hour, day] = [3600, 24 * 3600]

for (const [scope, seconds] of [
  ['member.lobby.ams3', hour],
  ['moderator.invite.sgp1', hour / 4],
  ['leafnode.sfo2', day],
  ['monitor.sfo2', 900],
  ['observer', day],
  ['pusher', day],
  ['access-operator', day],
  ['lobby', 90 * day],
  ['king.lobby.ams3', undefined],
  ['king', undefined],
  ['toString', undefined],
] as const)
  test(`a credential of ${scope} lives ${seconds} s at most`, (t) => {
    t.is(credentialSecondsMax(archipelago, scope), seconds)
  })

test('every ceiling that is declared has a longest life', (t) => {
  for (const { claims } of accounts)
    for (const { role } of claims.nats.signing_keys)
      t.truthy(credentialSecondsMax(archipelago, role), role)
})

for (const [name, seconds] of [
  ['KUBECON', hour],
  ['SYS', day],
  ['ACCESS', day],
  ['LOBBY', 90 * day],
] as const)
  test(`after the longest life and the clocks nobody of ${name} is alive`, (t) => {
    t.is(accountSecondsMax(archipelago, accountOf(name)), seconds + clockSkewSecondsMax)
  })
