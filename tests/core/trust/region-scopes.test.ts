import test from 'ava'
import { regionScopes, replaceRegionKeys } from '../../../core/trust/region-scopes.ts'
import { accountOf, pairOf, regionKeysOf } from './example.ts'

const keys = regionKeysOf('ams3')
const { nats: body } = accountOf('KUBECON').claims
const next = pairOf('account', 'next').publicKey
const withMember = (...member: (typeof next)[]) => ({
  ...keys,
  doors: { lobby: { nkey: pairOf('user', 'lobby.ams3').publicKey, signingKeys: { member } } },
})

test("a region's keys stand under these names", (t) => {
  t.deepEqual(
    regionScopes(keys).map(({ scope }) => scope),
    ['leafnode.ams3', 'monitor.ams3', 'member.lobby.ams3', 'moderator.invite.ams3'],
  )
})

test('the keys that are published already change nothing', (t) => {
  t.deepEqual(replaceRegionKeys(body, keys), body)
})

test('a second key stands beside the first, under the same ceiling', (t) => {
  const old = pairOf('account', 'member.lobby.ams3').publicKey
  const { signing_keys: scopes } = replaceRegionKeys(body, withMember(old, next))
  t.is(scopes.length, body.signing_keys.length + 1)
  const [first, second] = scopes.filter(({ role }) => role === 'member.lobby.ams3')
  t.deepEqual([first?.key, second?.key], [old, next])
  t.deepEqual({ ...second, key: old }, { ...first })
})

test('two keys become one again, and all others are as they were', (t) => {
  const old = pairOf('account', 'member.lobby.ams3').publicKey
  const both = replaceRegionKeys(body, withMember(old, next))
  const after = replaceRegionKeys(both, withMember(next))
  const isOther = ({ role }: { role: string }) => role !== 'member.lobby.ams3'
  t.deepEqual(after.signing_keys.filter(isOther), body.signing_keys.filter(isOther))
  t.deepEqual(after.signing_keys.filter(({ key }) => key === next).length, 1)
  t.false(after.signing_keys.some(({ key }) => key === old))
})

test('a ceiling that the account does not have is not added: that is for the operator to declare', (t) => {
  t.deepEqual(
    replaceRegionKeys(accountOf('LOBBY').claims.nats, keys),
    accountOf('LOBBY').claims.nats,
  )
})
