// The operator's store as nsc and the nats CLI read it.
import { join } from 'node:path'
import test from 'ava'
import { findTool } from '../../laptop/tools.ts'
import { moveIdentityKey } from '../../store/identity-key.ts'
import { requireClosed } from '../../store/place.ts'
import { run } from '../run-script.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { makeHomes, requireOperator, snapshot } from './home.ts'

type Context = Parameters<typeof makeHomes>[0]

async function openStore(t: Context, { isKeyAway }: { isKeyAway: boolean }) {
  const { data, homes, bootstrap } = makeHomes(t)
  const home = requireOperator(bootstrap())
  if (isKeyAway) moveIdentityKey(home, temporaryFolder(t))
  const own = temporaryFolder(t)
  const env = {
    ...process.env,
    HOME: own,
    XDG_CONFIG_HOME: own,
    XDG_DATA_HOME: homes.operator,
    NO_COLOR: '1',
  }
  /** All that it says: nsc writes its tables where others write their errors. */
  const ask = async (tool: 'nsc' | 'nats', ...args: string[]): Promise<string> => {
    const path = await findTool(tool, { report: () => {} })
    const { code, stdout, stderr } = await run(path, args, { env })
    t.is(code, 0, stderr)
    return stdout + stderr
  }
  return { data, home, ask }
}

for (const isKeyAway of [false, true]) {
  const where = isKeyAway ? ', with the identity key away' : ''

  test(`nsc lists and describes what is there${where}`, async (t) => {
    const { home, ask } = await openStore(t, { isKeyAway })
    const listed = await ask('nsc', 'list', 'accounts')
    for (const { claims } of home.accounts)
      t.regex(listed, new RegExp(`${claims.name} +\\| ${claims.sub}`))
    const operator = await ask('nsc', 'describe', 'operator')
    t.true(operator.includes(home.operator.claims.sub))
    t.regex(operator, /Require Signing Keys \| true/)
    const account = await ask('nsc', 'describe', 'account', 'KUBECON')
    t.regex(account, /Max Connections +\| 10000/)
    t.regex(account, /chat\.KUBECON\.dms\.\{\{subject\(\)\}\}/)
    const users = await ask('nsc', 'list', 'users', '--account', 'LOBBY')
    t.regex(users, /lobby +\| U[A-Z2-7]{55}/)
  })

  test(`nsc finds nothing to complain of${where}`, async (t) => {
    const { ask } = await openStore(t, { isKeyAway })
    const said = await ask('nsc', 'validate', '--all-accounts')
    t.is(said.match(/No issues found/g)?.length, 5, said)
  })

  test(`nats auth reads operator and accounts${where}`, async (t) => {
    const { data, home, ask } = await openStore(t, { isKeyAway })
    const listed = await ask('nats', 'auth', 'account', 'ls')
    for (const { claims } of home.accounts)
      t.regex(listed, new RegExp(`${claims.name} +│ ${claims.sub}`))
    const info = await ask(
      'nats',
      'auth',
      'account',
      'info',
      'KUBECON',
      '--operator',
      'archipelago',
    )
    t.regex(info, /Service Imports: 4/)
    const operator = await ask('nats', 'auth', 'operator', 'info', 'archipelago')
    t.true(operator.includes(home.operator.claims.sub))
    t.notThrows(() => requireClosed(data))
  })
}

test('reading changes no key and no JWT', async (t) => {
  const { data, ask } = await openStore(t, { isKeyAway: false })
  const store = join(data, 'operator', 'nats', 'nsc')
  const before = snapshot(store)
  await ask('nsc', 'list', 'accounts')
  await ask('nats', 'auth', 'account', 'ls')
  t.deepEqual(snapshot(store), before)
})
