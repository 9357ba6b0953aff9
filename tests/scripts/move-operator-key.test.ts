// Daily work with the operator's identity key in another place, on a network that runs.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { parseOperator } from '../../core/trust/operator.ts'
import { startNetwork } from '../../laptop/network.ts'
import { findTool } from '../../laptop/tools.ts'
import { readPublishedAccounts } from '../../store/applied.ts'
import { openFiles } from '../../store/files.ts'
import { publicFiles } from '../../store/public.ts'
import { runScript } from '../run-script.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { startTestNetwork, type TestNetwork } from '../test-network.ts'

let network: TestNetwork
let away: string
test.before(async () => {
  network = await startTestNetwork()
  away = join(network.folder, 'offline')
  mkdirSync(away)
})
test.after.always(() => network?.[Symbol.asyncDispose]())

const script = (name: string, ...args: string[]) => {
  const { archipelagoFile, homes } = network
  const where = ['--archipelago', archipelagoFile, '--data-dir', homes.data]
  return runScript(name, [...where, ...args])
}
const readOperator = () =>
  parseOperator(readFileSync(publicFiles.operator(network.homes.public), 'utf8'))

test.serial('a dry run says from where to where, and moves nothing', async (t) => {
  const { code, stdout } = await script('move-operator-key', '--to', away, '--dry-run')
  t.is(code, 0)
  t.regex(stdout, /^would move .*\/keys\/O\/\w\w\/(O\w+\.nk) to .*\/offline\/\1\n$/)
  t.deepEqual(readdirSync(away), [])
})

test.serial('the key is moved away, and where it lies is said, not what it is', async (t) => {
  const { code, stdout, stderr } = await script('move-operator-key', '--to', away)
  t.is(code, 0, stderr)
  const { sub } = readOperator().claims
  t.true(stdout.includes(`operator's identity key ${sub} lies now at ${join(away, `${sub}.nk`)}\n`))
  t.notRegex(stdout, /\bSO[A-Z2-7]{56}\b/)
  t.deepEqual(readdirSync(away), [`${sub}.nk`])
})

for (const [what, name, args] of [
  ['a bootstrap', 'bootstrap-trust', []],
  ['a push of the accounts', 'push-accounts', []],
  ['a revocation', 'revoke-credentials', ['--name', 'mallory']],
  ['a rotation', 'rotate-signing-key', ['--region', 'ams3', '--drain-deadline', '1s']],
  ['an invite', 'issue-invite', ['--role', 'moderator', '--name', 'carol', '--out']],
] as const)
  test.serial(`${what} does without it`, async (t) => {
    const out = name === 'issue-invite' ? [join(network.folder, 'carol.json')] : []
    const { code, stdout, stderr } = await script(name, ...args, ...out)
    t.is(code, 0, stdout + stderr)
  })

test.serial('what was signed without it is good', async (t) => {
  for (const region of ['ams3', 'sfo2', 'sgp1'])
    t.is((await network.requestFrom(region)).region, region)
})

test.serial('a new operator JWT is refused without it, with what to do', async (t) => {
  const before = readFileSync(publicFiles.operator(network.homes.public), 'utf8')
  const { code, stderr } = await script('rotate-operator-key')
  t.is(code, 1)
  t.is(
    stderr,
    `rotate-operator-key: operator's identity key is not here: ${readOperator().claims.sub}\n` +
      'do: bring it back with move-operator-key --back, do this, move it away again\n',
  )
  t.is(readFileSync(publicFiles.operator(network.homes.public), 'utf8'), before)
})

test.serial('it comes back from where it lies, and from nowhere else', async (t) => {
  const wrong = await script('move-operator-key', '--back', network.folder)
  t.is(wrong.code, 1)
  t.regex(
    wrong.stderr,
    /^move-operator-key: no identity key of operator O.* at .*\ndo: name the folder/,
  )
  const { code, stderr } = await script('move-operator-key', '--back', away)
  t.is(code, 0, stderr)
  t.deepEqual(readdirSync(away), [])
})

test.serial('it is not moved into the data folder, and not without a place', async (t) => {
  const inside = await script('move-operator-key', '--to', join(network.homes.data, 'a'))
  t.regex(inside.stderr, /^move-operator-key: keys may not lie in the data folder: /)
  const nowhere = await script('move-operator-key')
  t.is(
    nowhere.stderr,
    'move-operator-key: one of --to and --back is needed, not both\ndo: see --help\n',
  )
  t.false(existsSync(join(network.homes.data, 'a')))
})

test.serial(
  "the operator's signing key is replaced while the network runs, and a restart takes the new JWT",
  async (t) => {
    const before = readOperator().claims.nats.signing_keys
    const planned = await script('rotate-operator-key', '--dry-run')
    t.is(planned.stdout, `${before[1]} would sign in place of ${before[0]}\n`)
    t.deepEqual(readOperator().claims.nats.signing_keys, before)
    const { code, stdout, stderr } = await script('rotate-operator-key')
    t.is(code, 0, stderr)
    const after = readOperator().claims.nats.signing_keys
    t.is(after[0], before[1])
    t.false(after.includes(before[0] as (typeof before)[0]))
    t.true(stdout.startsWith(`${after[0]} signs in place of ${before[0]}; ${after[1]} is spare\n`))
    const accounts = readPublishedAccounts(openFiles(), network.homes)
    t.true(accounts.every(({ claims }) => claims.iss === after[0]))
    t.is((await script('push-accounts')).code, 0)
    t.is((await network.requestFrom('sfo2')).region, 'sfo2')
    const { archipelago, homes } = network
    const folder = temporaryFolder(t)
    const data = join(folder, 'data')
    const isKept = (path: string) => !path.startsWith(homes.run)
    cpSync(homes.data, data, { recursive: true, filter: isKept })
    cpSync(network.archipelagoFile, join(folder, 'archipelago.yaml'))
    await network[Symbol.asyncDispose]()
    const natsServer = await findTool('nats-server', { report: () => {} })
    await using again = await startNetwork({ archipelago, data, natsServer })
    t.is(again.supercluster.observed.length, 9)
    t.is((await network.requestFrom('sgp1')).region, 'sgp1', 'with the file of before')
    const { stdout: said } = await runScript('bootstrap-trust', ['--data-dir', data], {
      cwd: folder,
    })
    t.regex(said, /^nothing to change$/m)
  },
)
