import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { parseNetworkFile } from '../../core/access/network-file.ts'
import { findTool } from '../../laptop/tools.ts'
import { linesUnder } from '../docs/command.ts'
import { openTerminal } from '../docs/terminal.ts'
import { claimPorts } from '../port-block.ts'
import { runScript } from '../run-script.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { serversOf, writeTestArchipelago } from '../test-network.ts'
import { until } from '../until.ts'

const script = fileURLToPath(new URL('../../scripts/start.ts', import.meta.url))

interface Place {
  readonly folder: string
  readonly data: string
  readonly firstPort: number
  readonly args: readonly string[]
}

async function makePlace(t: ExecutionContext): Promise<Place> {
  const folder = temporaryFolder(t, 'h-')
  const ports = await claimPorts()
  t.teardown(() => ports[Symbol.asyncDispose]())
  const { firstPort } = ports
  const archipelagoFile = writeTestArchipelago(folder, { firstPort })
  const data = join(folder, 'data')
  return { folder, data, firstPort, args: ['--archipelago', archipelagoFile, '--data-dir', data] }
}

/** Processes whose command line or environment names the folder. */
function processesOf(folder: string): string[] {
  const isOurs = (pid: string, file: string): boolean => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'utf8').includes(folder)
    } catch {
      return false
    }
  }
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => isOurs(pid, 'cmdline') || isOurs(pid, 'environ'))
}

/** What the lines of README.md show, in another terminal than that of `npm start`. */
const shows: Readonly<Record<string, RegExp>> = {
  'npx node scripts/request-credentials.ts --network $network --name alice --out alice.creds':
    /alice\.creds/,
  'npm run invoke -- provision-credentials --name alice': /-----BEGIN NATS USER JWT-----/,
  'npx node scripts/verify-supercluster.ts': /^✔/m,
  'npx node scripts/verify-peer.ts --all': /^✔ everything fits \(/m,
  'npx node scripts/issue-invite.ts --role moderator --name carol --ttl 48h --out carol.invite.json':
    /carol/,
  'npx node scripts/revoke-credentials.ts --name alice': /^✔ deny list .*: 9 functions show it$/m,
}

test.serial(
  'npm start does what README.md says, and leaves nothing running; with --once it uses the trust of before, with --fresh it does not',
  async (t) => {
    const { folder } = await makePlace(t)
    const [home, data] = [folder, join(folder, '.local/share/archipelago/archipelago')]
    const nats = dirname(await findTool('nats', { report: () => {} }))
    const env = { PATH: `${nats}:${process.env['PATH']}` }
    const terminal = openTerminal({ clone: folder, home, env })
    const operator = (): string => readFileSync(join(data, 'public', 'operator.jwt'), 'utf8')

    const running = terminal.begin('npm start')
    t.teardown(() => running.end())
    const isUp = () => running.shown().includes('It stays up until Ctrl-C')
    await Promise.race([until('it to stay up', isUp), running.ended])
    const lines = linesUnder('README.md', 'What `npm start` does')
    const publish = publishAsAlice(data)
    for (const line of lines.toSpliced(-1, 0, publish))
      t.regex(await terminal.type(line), line === publish ? /Published/ : (shows[line] ?? /^$/))
    await running.end()
    t.deepEqual(processesOf(folder), [])
    const first = operator()

    const { isProven, proofs } = JSON.parse(
      await terminal.type('npm -s start -- --once --json 2>/dev/null'),
    )
    t.true(isProven)
    t.deepEqual(
      proofs.filter((proof: { isProven: boolean }) => !proof.isProven),
      [],
    )
    t.true(proofs.length > 20)
    t.is(operator(), first)
    await terminal.type('npm start -- --once --fresh')
    t.not(operator(), first)
    t.deepEqual(processesOf(folder), [])
  },
)

/** With the credential that was requested: every NATS client takes it. */
function publishAsAlice(data: string): string {
  const file = readFileSync(join(data, 'public', 'archipelago.lobby.json'), 'utf8')
  const [server] = serversOf(parseNetworkFile(file))
  const roots = join(data, 'public/identity/public-roots.pem')
  const target = `--creds alice.creds --tlsca ${roots} --server ${server}`
  return `nats ${target} pub chat.KUBECON.posts.General hello`
}

for (const momentMs of [100, 450, 900, 1_400, 2_000, 2_800])
  test.serial(`Ctrl-C after ${momentMs} ms leaves no process`, async (t) => {
    const { args, folder } = await makePlace(t)
    // A group of its own, so that the signal reaches what the terminal's would.
    const child = spawn(process.execPath, [script, ...args], { detached: true, stdio: 'ignore' })
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
    await delay(momentMs)
    const group = -(child.pid as number)
    process.kill(group, 'SIGINT')
    // npm hands it on a second time.
    await delay(20)
    child.kill('SIGINT')
    await exited
    await until('every process is gone', () => processesOf(folder).length === 0, {
      deadlineMs: 2_000,
    })
    t.deepEqual(processesOf(folder), [])
  })

test.serial('an occupied port is one line for what, one for what to do', async (t) => {
  const { args, folder, firstPort } = await makePlace(t)
  const other = createServer().listen(firstPort, '127.0.0.1')
  t.teardown(() => other.close())
  const { code, stderr } = await runScript('start', ['--once', ...args])
  t.is(code, 1)
  t.regex(stderr, new RegExp(`start: .*127\\.0\\.0\\.1:${firstPort}.*`))
  t.is(afterProgress(stderr).length, 2, stderr)
  t.deepEqual(processesOf(folder), [])
})

test.serial('an unwritable data folder is one line for what, one for what to do', async (t) => {
  const { args, folder, data } = await makePlace(t)
  writeFileSync(data, 'a file where a folder should be')
  const { code, stderr } = await runScript('start', ['--once', ...args])
  t.is(code, 1)
  t.is(afterProgress(stderr).length, 2, stderr)
  t.deepEqual(processesOf(folder), [])
})

test.serial('without nats-server and Go it says how to get one', async (t) => {
  const { args, folder } = await makePlace(t)
  const empty = join(folder, 'empty')
  mkdirSync(empty)
  const env = { PATH: empty, HOME: empty, XDG_CACHE_HOME: empty }
  const { code, stderr } = await runScript('start', ['--once', ...args], { env })
  t.is(code, 1)
  t.is(afterProgress(stderr).length, 2, stderr)
  t.regex(stderr, /Go/)
  t.deepEqual(processesOf(join(folder, 'data')), [])
})

/** What is said after the lines of progress. */
function afterProgress(stderr: string): string[] {
  return stderr.split('\n').filter((line) => line !== '' && !line.startsWith('•'))
}
