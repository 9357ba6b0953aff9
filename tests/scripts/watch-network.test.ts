// The operator's commands that reach into a running network, run as a person would.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import type { AccountPush } from '../../nats/push-accounts.ts'
import { updateAccount } from '../../nats/claims.ts'
import { openDeclaredState } from '../../store/declared-state.ts'
import { openFiles } from '../../store/files.ts'
import { makeNkeyPair } from '../../store/key-file.ts'
import { runScript, type Ran } from '../run-script.ts'
import { startTestNetwork, type TestNetwork } from '../test-network.ts'
import { until } from '../until.ts'

let network: TestNetwork
test.before(async () => {
  network = await startTestNetwork()
})
test.after.always(() => network?.[Symbol.asyncDispose]())

const place = (): string[] => [
  ...['--archipelago', network.archipelagoFile],
  ...['--data-dir', network.homes.data],
]

function run(name: string, ...args: string[]): Promise<Ran> {
  return runScript(name, [...place(), ...args])
}

/** Something newer is declared, and every server is put back to what was before it. */
async function goBack(): Promise<void> {
  const { homes, archipelago } = network
  const files = openFiles()
  const state = openDeclaredState({ files, homes, archipelago }, () =>
    Math.floor(Date.now() / 1000),
  )
  const before = kubeconOf(state.read())
  state.outdate('KUBECON', before.claims.iat)
  const pusher = await network.connectAs('pusher')
  await updateAccount(pusher, before.text, { expected: 9 })
  await pusher.close()
}

function kubeconOf({ accounts }: Pick<TestNetwork['operator'], 'accounts'>) {
  const account = accounts.find(({ claims }) => claims.name === 'KUBECON')
  if (account === undefined) throw new RangeError('no account KUBECON')
  return account
}

test.serial('push-accounts brings every server to the declared accounts', async (t) => {
  await goBack()
  const dry = await run('push-accounts', '--account', 'KUBECON', '--dry-run')
  t.is(dry.code, 0, dry.stderr)
  t.regex(dry.stdout, /^would push KUBECON A[A-Z0-9]{55}, issued at \d+\n$/)
  const pushed = await run('push-accounts', '--json')
  t.is(pushed.code, 0, pushed.stderr)
  const { isDone, accounts } = JSON.parse(pushed.stdout) as {
    isDone: boolean
    accounts: AccountPush[]
  }
  t.true(isDone)
  t.deepEqual(accounts.map(({ account }) => account).toSorted(), [
    'ACCESS',
    'KUBECON',
    'LOBBY',
    'SYS',
  ])
  t.deepEqual(new Set(accounts.map(({ servers }) => servers.length)), new Set([9]))
})

test.serial('push-accounts names an account that it does not know', async (t) => {
  const ran = await run('push-accounts', '--account', 'NATSCON')
  t.is(ran.code, 1)
  t.is(ran.stderr, 'push-accounts: no account NATSCON (ACCESS, KUBECON, LOBBY, SYS)\n')
})

test.serial(
  'watch-network --once mends what it finds, and the next look finds nothing',
  async (t) => {
    await goBack()
    const first = await run('watch-network', '--once', '--json')
    t.is(first.code, 1, first.stderr)
    t.like(JSON.parse(first.stdout), {
      code: 'account-older',
      subject: 'KUBECON',
      measure: 'pushed',
    })
    const second = await run('watch-network', '--once')
    t.deepEqual([second.code, second.stdout], [0, ''], second.stderr)
  },
)

test.serial('watch-network watches until it is told to stop', async (t) => {
  const script = fileURLToPath(new URL('../../scripts/watch-network.ts', import.meta.url))
  const child = spawn(process.execPath, [script, ...place(), '--interval', '1s'])
  const exited = new Promise((resolve) => child.once('exit', resolve))
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  await goBack()
  await until('a finding', () => said.includes('account-older account KUBECON'))
  child.kill('SIGTERM')
  t.is(await exited, 0)
})

test.serial(
  'revoke-credentials cuts a key, and a ticket, and says who has confirmed',
  async (t) => {
    const { publicKey } = makeNkeyPair('user')
    for (const whom of [
      ['--nkey', publicKey],
      ['--ticket', 'GR6NJ3MXZQ4DWUVPKXC2IEYT5HFO7BLA'],
    ]) {
      const ran = await run('revoke-credentials', ...whom)
      t.is(ran.code, 0, ran.stderr)
      t.regex(ran.stdout, /^✔ deny list \d+, [0-9a-f]+: 9 functions show it$/m)
    }
  },
)

test.serial('revoke-credentials wants to know whom', async (t) => {
  const ran = await run('revoke-credentials')
  t.is(ran.code, 1)
  t.is(ran.stderr, 'revoke-credentials: nobody is named: give --nkey, --name or --ticket\n')
})
