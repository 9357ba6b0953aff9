import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { readFunctionTrust } from '../../store/function-trust.ts'
import { functionHome } from '../../store/homes.ts'
import { publicFiles, readConfiguration } from '../../store/public.ts'
import { signingKey } from '../../store/key-paths.ts'
import { pairOf } from '../core/trust/example.ts'
import { makeHomes, requireOperator } from './home.ts'

function makeFunction(t: Parameters<typeof makeHomes>[0], door: 'lobby' | 'invite') {
  const { homes, bootstrap } = makeHomes(t)
  const operator = requireOperator(bootstrap())
  const keysFolder = functionHome(homes, 'ams3', door)
  const folders = { publicFolder: homes.public, keysFolder }
  return { homes, operator, folders, read: () => readFunctionTrust(folders, door) }
}

for (const [door, roles] of [
  ['lobby', ['member']],
  ['invite', ['moderator']],
] as const)
  test(`the function at the door ${door} signs for ${roles.join()}, and has no other key`, (t) => {
    const { operator, folders, read } = makeFunction(t, door)
    const trust = read()
    t.is(trust.operator.text, operator.operator.text)
    t.deepEqual([...trust.signers.keys()], [...roles])
    for (const { key, account } of trust.signers.values())
      t.true(account.claims.nats.signing_keys.some((scope) => scope.key === key.publicKey))
    t.deepEqual(
      readdirSync(join(folders.keysFolder, 'signing')),
      roles.map((role) => `${role}.nk`),
    )
  })

test('a signing key that is not published is refused: nobody could use what it signs', (t) => {
  const { folders, read } = makeFunction(t, 'lobby')
  const other = pairOf('account', 'other')
  writeFileSync(signingKey(folders.keysFolder, 'member').current, other.seed)
  t.throws(read, {
    code: 'ERR_KEY_UNPUBLISHED',
    message: `account KUBECON does not publish the signing key of member: ${other.publicKey}`,
  })
})

test('without its key, and without what is public, there is no function', (t) => {
  const { homes, folders, read } = makeFunction(t, 'lobby')
  const { current } = signingKey(folders.keysFolder, 'member')
  rmSync(current)
  t.throws(read, { code: 'ERR_KEY_NOT_HERE', message: `no account key at ${current}` })
  const account = publicFiles.account(homes.public, 'KUBECON')
  rmSync(account)
  t.throws(read, { code: 'ERR_STORE_UNREADABLE', message: `no account JWT at ${account}` })
})

test('what another operator signed is refused, wherever it lies', (t) => {
  const { homes, read } = makeFunction(t, 'lobby')
  const elsewhere = makeHomes(t)
  const foreign = { ...requireOperator(elsewhere.bootstrap()), homes: elsewhere.homes }
  const kubecon = foreign.accounts.find(({ claims }) => claims.name === 'KUBECON')
  writeFileSync(publicFiles.denyList(homes.public), foreign.denyList.text)
  t.throws(read, { code: 'ERR_DENY_LIST_ILLEGAL' })
  writeFileSync(publicFiles.account(homes.public, 'KUBECON'), kubecon?.text ?? '')
  t.throws(read, { code: 'ERR_ACCOUNT_FOREIGN' })
  const configuration = readConfiguration(foreign.homes.public, foreign.operator)
  writeFileSync(publicFiles.configuration(homes.public), configuration.text)
  t.throws(read, {
    code: 'ERR_CONFIGURATION_FOREIGN',
    message: `configuration: signed by a foreign operator: ${configuration.claims.iss}`,
  })
})
