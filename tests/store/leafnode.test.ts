import { readFileSync, statSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { verifyChain } from '../../core/trust/chain.ts'
import { parseCreds } from '../../core/trust/creds.ts'
import type { Nkey } from '../../core/trust/nkey.ts'
import { openFiles } from '../../store/files.ts'
import { leafnodeHome } from '../../store/homes.ts'
import { leafnodeCredsFile, renewLeafnodeCredential, renewerPlace } from '../../store/leafnode.ts'
import { leafnodeSigningKey } from '../../store/key-paths.ts'
import { nowSeconds, pairOf } from '../core/trust/example.ts'
import { makeHomes, requireOperator } from './home.ts'

const lifetimeSeconds = 86_400

function makeLeafnode(t: Parameters<typeof makeHomes>[0]) {
  const { homes, bootstrap } = makeHomes(t)
  const { operator, accounts } = requireOperator(bootstrap())
  const access = accounts.find(({ claims }) => claims.name === 'ACCESS')
  const account = access?.claims.sub as Nkey<'account'>
  const file = leafnodeCredsFile(homes, 'ams3')
  const renew = (later: number, seconds = lifetimeSeconds) =>
    renewLeafnodeCredential(
      { files: openFiles(), ...renewerPlace(homes, 'ams3') },
      { region: 'ams3', account, lifetimeSeconds: seconds },
      nowSeconds + later,
    )
  return { homes, operator, access, file, renew, read: () => readFileSync(file, 'utf8') }
}

test("a leafnode's credential is good under its region's ceiling", (t) => {
  const { operator, access, file, renew, read } = makeLeafnode(t)
  t.deepEqual(renew(0), { isRenewed: true, expiresAtSeconds: nowSeconds + lifetimeSeconds })
  const { user } = parseCreds(read())
  const { scope } = verifyChain(
    { userJwt: user.text, accountJwt: access?.text ?? '' },
    { operator, nowSeconds },
  )
  t.is(scope.role, 'leafnode.ams3')
  t.deepEqual(scope.template.allowed_connection_types, ['LEAFNODE'])
  t.is(statSync(file).mode & 0o777, 0o600)
})

test('it is kept for half of its life, and renewed for the same user', (t) => {
  const { renew, read } = makeLeafnode(t)
  renew(0)
  const first = read()
  t.false(renew(lifetimeSeconds / 2 - 1).isRenewed)
  t.is(read(), first)
  t.true(renew(lifetimeSeconds / 2).isRenewed)
  t.is(parseCreds(read()).pair.publicKey, parseCreds(first).pair.publicKey)
})

test('a file that is spoilt, and one of a key that was replaced, are made anew at once', (t) => {
  const { homes, file, renew, read } = makeLeafnode(t)
  renew(0)
  writeFileSync(file, 'half a fi')
  t.true(renew(1).isRenewed)
  const next = pairOf('account', 'next')
  writeFileSync(leafnodeSigningKey(leafnodeHome(homes, 'ams3')).current, next.seed)
  t.true(renew(2).isRenewed)
  t.is(parseCreds(read()).user.claims.iss, next.publicKey)
})
