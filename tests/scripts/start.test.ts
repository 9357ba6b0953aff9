import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { claimPorts } from '../port-block.ts'
import { runScript } from '../run-script.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { writeTestArchipelago } from '../test-network.ts'
import { until } from '../until.ts'

const script = fileURLToPath(new URL('../../scripts/start.ts', import.meta.url))

interface Place {
  readonly folder: string
  readonly data: string
  readonly firstPort: number
  readonly args: readonly string[]
}

async function makePlace(t: ExecutionContext): Promise<Place> {
  const folder = temporaryFolder(t)
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

test.serial(
  '--once proves the network and leaves nothing running; the next start uses its trust, --fresh does not',
  async (t) => {
    const { args, folder, data } = await makePlace(t)
    const start = (...options: string[]) => runScript('start', ['--once', ...options, ...args])
    const operator = (): string => readFileSync(join(data, 'public', 'operator.jwt'), 'utf8')
    const { code, stdout, stderr } = await start('--json')
    t.is(code, 0, stderr)
    const { isProven, proofs } = JSON.parse(stdout) as {
      isProven: boolean
      proofs: { what: string; isProven: boolean }[]
    }
    t.true(isProven)
    t.deepEqual(
      proofs.filter((proof) => !proof.isProven),
      [],
    )
    t.true(proofs.length > 20)
    t.deepEqual(processesOf(folder), [])
    const first = operator()
    t.is((await start()).code, 0)
    t.is(operator(), first)
    t.is((await start('--fresh')).code, 0)
    t.not(operator(), first)
    t.deepEqual(processesOf(folder), [])
  },
)

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
