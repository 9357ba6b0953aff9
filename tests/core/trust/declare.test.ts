import test from 'ava'
import { assert, constantFrom, property } from 'fast-check'
import { parseArchipelago } from '../../../core/archipelago.ts'
import { functionDoors } from '../../../core/network/access-subject.ts'
import {
  accountNames,
  declareAccounts,
  formatScopeName,
  parseScopeName,
  serviceUserNames,
} from '../../../core/trust/declare.ts'
import type { Nkey } from '../../../core/trust/nkey.ts'
import { edited, file } from '../archipelago/example.ts'
import { archipelago, declared, pairOf, regionKeysOf, regions } from './example.ts'

const legacy = parseArchipelago(edited('doors: [lobby]', 'doors: [lobby, legacy]'), file)
const accountKey = (name: string): Nkey<'account'> => pairOf('account', name).publicKey
const bodyOf = (name: string) => declared.find((each) => each.name === name)?.body
const scopesOf = (name: string) => (bodyOf(name)?.signing_keys ?? []).map(({ role }) => role)

test('there are the built-in accounts and those of the roles', (t) => {
  t.deepEqual(accountNames(archipelago), ['SYS', 'ACCESS', 'LOBBY', 'KUBECON'])
  t.deepEqual(accountNames(legacy), ['SYS', 'ACCESS', 'LOBBY', 'LEGACY', 'KUBECON'])
})

test('the legacy requestor is there only where its door is open', (t) => {
  t.false(serviceUserNames(archipelago).includes('legacy-requestor'))
  t.true(serviceUserNames(legacy).includes('legacy-requestor'))
})

for (const [name, scopes] of [
  ['SYS', ['observer', 'pusher', 'monitor.ams3', 'monitor.sfo2', 'monitor.sgp1']],
  ['ACCESS', ['access-operator', 'leafnode.ams3', 'leafnode.sfo2', 'leafnode.sgp1']],
  ['LOBBY', ['lobby']],
  [
    'KUBECON',
    ['member.lobby', 'moderator.invite'].flatMap((of) =>
      ['ams3', 'sfo2', 'sgp1'].map((region) => `${of}.${region}`),
    ),
  ],
] as const)
  test(`account ${name} publishes ${scopes.join(', ')}`, (t) => {
    t.deepEqual(scopesOf(name), [...scopes])
  })

test('every key stands under the name that says where it has its home', (t) => {
  for (const { body } of declared)
    for (const { role, key } of body.signing_keys) t.is(key, accountKey(role))
})

for (const [account, subjects] of [
  ['LOBBY', ['chat.req.access', 'chat.req.invite']],
  ['KUBECON', ['chat.req.renew.lobby', 'chat.req.renew.invite']],
] as const)
  test(`account ${account} asks ${subjects.join(' and ')} of ACCESS, and is seen by it`, (t) => {
    const imports = bodyOf(account)?.imports ?? []
    t.deepEqual(
      imports.map(({ subject }) => subject),
      subjects.flatMap((subject) => [subject, `${subject}.*`]),
    )
    t.true(imports.every(({ account, share }) => account === accountKey('ACCESS') && share))
  })

test('SYS and ACCESS import nothing, and ACCESS alone exports', (t) => {
  t.deepEqual(bodyOf('SYS')?.imports, [])
  t.deepEqual(bodyOf('ACCESS')?.imports, [])
  const exporting = declared.filter(({ body }) => body.exports.length > 0)
  t.deepEqual(
    exporting.map(({ name }) => name),
    ['ACCESS'],
  )
})

test('nobody may bring a leafnode but the regions, and nobody a bearer token', (t) => {
  for (const { name, body } of declared) {
    t.is(body.limits.leaf, name === 'ACCESS' ? 96 : 0)
    t.true(body.limits.disallow_bearer)
  }
})

test('the lobby has its limits, and a role account its own', (t) => {
  t.like(bodyOf('LOBBY')?.limits, { conn: 100, payload: 4096 })
  t.like(bodyOf('KUBECON')?.limits, { conn: 10_000, payload: -1 })
})

test('a region without keys is not there, and the others are as they were', (t) => {
  const keys = {
    accounts: Object.fromEntries(accountNames(archipelago).map((name) => [name, accountKey(name)])),
    serviceUsers: {},
    regions: regions.filter(({ region }) => region !== 'sfo2'),
    revocations: { KUBECON: { [pairOf('user', 'mallory').publicKey]: 1 } },
  }
  const kubecon = declareAccounts(archipelago, keys).find(({ name }) => name === 'KUBECON')
  t.deepEqual(
    kubecon?.body.signing_keys,
    bodyOf('KUBECON')?.signing_keys.filter(({ role }) => !role.endsWith('.sfo2')),
  )
  t.deepEqual(kubecon?.body.revocations, keys.revocations.KUBECON)
})

test('while a key is replaced, both have the same ceiling', (t) => {
  const ams3 = regionKeysOf('ams3')
  const next = accountKey('next')
  const member = [...(ams3.doors.lobby?.signingKeys['member'] ?? []), next]
  const lobby = { nkey: pairOf('user', 'lobby.ams3').publicKey, signingKeys: { member } }
  const [, , , kubecon] = declareAccounts(archipelago, {
    accounts: {},
    serviceUsers: {},
    regions: [{ ...ams3, doors: { lobby } }],
    revocations: {},
  })
  const [first, second] = kubecon?.body.signing_keys ?? []
  t.is(second?.key, next)
  t.deepEqual({ ...second, key: first?.key }, { ...first })
})

test('the name of a ceiling comes back', (t) => {
  const roles = constantFrom('member', 'moderator', 'a-b')
  const names = constantFrom('ams3', 'sfo2', 'a-1')
  assert(
    property(roles, constantFrom(...functionDoors), names, (role, door, region) => {
      t.deepEqual(parseScopeName(formatScopeName({ role, door, region })), { role, door, region })
    }),
  )
  t.pass()
})

for (const name of ['observer', 'leafnode.ams3', 'lobby', ''])
  test(`'${name}' is not the ceiling of a role`, (t) => t.is(parseScopeName(name), undefined))
