import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { endLeftovers, recordProcess } from '../../laptop/leftovers.ts'
import type { ProcessSpec } from '../../laptop/process.ts'
import { superviseProcesses, type UnexpectedExit } from '../../laptop/supervisor.ts'
import { until } from '../until.ts'

function temporaryFolder() {
  const run = mkdtempSync(join(tmpdir(), 'archipelago-'))
  return { run, [Symbol.dispose]: () => rmSync(run, { recursive: true }) }
}

const shell = (name: string, script: string): ProcessSpec => ({
  ...{ name, command: 'sh', args: ['-c', script], mark: script, log: '/nowhere' },
})

const sleeper = { ...shell('sleeper', 'exec sleep 1000'), mark: '1000' }

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('a process that ends by itself is reported with its last words, and starts again', async (t) => {
  using folder = temporaryFolder()
  const exits: UnexpectedExit[] = []
  await using supervisor = superviseProcesses({
    ...{ runDirectory: folder.run, onExit: (exit) => exits.push(exit) },
  })
  supervisor.start(shell('crasher', 'echo first >&2; echo no such luck >&2; exit 3'))
  await until('two exits', () => exits.length >= 2)
  t.like(exits[0], { name: 'crasher', code: 3, signal: null, lastLine: 'no such luck' })
  t.deepEqual([exits[0]?.restartMs, exits[1]?.restartMs], [100, 200])
})

test('its last words are in its log when it says nothing on its standard error', async (t) => {
  using folder = temporaryFolder()
  const log = join(folder.run, 'log')
  writeFileSync(log, 'one\n[ERR] the disk is full\n')
  const { promise, resolve } = Promise.withResolvers<UnexpectedExit>()
  await using supervisor = superviseProcesses({ runDirectory: folder.run, onExit: resolve })
  supervisor.start({ ...shell('silent', 'exit 1'), log })
  t.is((await promise).lastLine, '[ERR] the disk is full')
})

test('a command that is not there is reported as such', async (t) => {
  using folder = temporaryFolder()
  const { promise, resolve } = Promise.withResolvers<UnexpectedExit>()
  await using supervisor = superviseProcesses({ runDirectory: folder.run, onExit: resolve })
  supervisor.start({ ...sleeper, command: '/no/such/command' })
  t.regex((await promise).lastLine, /\/no\/such\/command.*(ENOENT|No such file)/)
})

test('nothing is left after a stop, not even what ignores SIGTERM or is suspended', async (t) => {
  using folder = temporaryFolder()
  const supervisor = superviseProcesses({ runDirectory: folder.run, onExit: () => t.fail() })
  supervisor.start(shell('deaf', 'trap "" TERM; echo ready; while :; do sleep 0.1; done'))
  supervisor.start({ ...shell('suspended', 'exec sleep 999'), mark: '999' })
  const pids = [...supervisor.pids().values()]
  supervisor.signal('suspended', 'SIGSTOP')
  t.is(readdirSync(folder.run).length, 2)
  await supervisor.stop()
  t.false(pids.some(isRunning))
  t.deepEqual([...supervisor.pids()], [])
  t.deepEqual(readdirSync(folder.run), [])
})

test('nothing starts after a stop, not even what was about to start again', async (t) => {
  using folder = temporaryFolder()
  const { promise, resolve } = Promise.withResolvers<UnexpectedExit>()
  const supervisor = superviseProcesses({ runDirectory: folder.run, onExit: resolve })
  supervisor.start(shell('crasher', 'exit 1'))
  await promise
  const restarted = supervisor.restart('crasher')
  await supervisor.stop()
  await restarted
  supervisor.start(sleeper)
  t.deepEqual([...supervisor.pids()], [])
})

test('a restart is another process, and is not reported', async (t) => {
  using folder = temporaryFolder()
  await using supervisor = superviseProcesses({
    ...{ runDirectory: folder.run, onExit: () => t.fail() },
  })
  supervisor.start(sleeper)
  const before = supervisor.pids().get('sleeper')
  await supervisor.restart('sleeper')
  t.not(supervisor.pids().get('sleeper'), before)
  t.false(isRunning(before ?? 0))
})

test('a child that a process leaves behind does not hold up its end', async (t) => {
  using folder = temporaryFolder()
  const { promise, resolve } = Promise.withResolvers<UnexpectedExit>()
  await using supervisor = superviseProcesses({ runDirectory: folder.run, onExit: resolve })
  supervisor.start(shell('parent', 'sleep 1 & exit 4'))
  t.is((await promise).code, 4)
})

test('a process that is not known, or known already, is a mistake', async (t) => {
  using folder = temporaryFolder()
  await using supervisor = superviseProcesses({ runDirectory: folder.run, onExit: () => {} })
  supervisor.start(sleeper)
  t.throws(() => supervisor.start(sleeper), { instanceOf: RangeError })
  await t.throwsAsync(supervisor.restart('other'), { instanceOf: RangeError })
})

/** A supervisor of its own, which starts one process and reports both, and then is killed. */
async function killedSupervisor(run: string, script: string) {
  const source = `
    import { superviseProcesses } from ${JSON.stringify(import.meta.resolve('../../laptop/supervisor.ts'))}
    const supervisor = superviseProcesses({ runDirectory: ${JSON.stringify(run)}, onExit() {} })
    supervisor.start(${JSON.stringify(shell('orphan', script))})
    console.log(supervisor.pids().get('orphan'))
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', source])
  const pid = await new Promise<number>((resolve) =>
    child.stdout.once('data', (chunk) => resolve(Number(chunk))),
  )
  return { child, pid }
}

test('while a supervisor is alive nobody else takes its place', async (t) => {
  using folder = temporaryFolder()
  const { child, pid } = await killedSupervisor(folder.run, 'exec sleep 998')
  await t.throwsAsync(endLeftovers(folder.run, 1000), {
    code: 'ERR_ALREADY_RUNNING',
    message: `already running from this data directory: process ${child.pid}`,
  })
  t.true(isRunning(pid))
  child.kill('SIGKILL')
  await until('the orphan is gone', async () => {
    await endLeftovers(folder.run, 1000).catch(() => {})
    return !isRunning(pid)
  })
})

test('what a killed supervisor left behind is ended at the next start', async (t) => {
  using folder = temporaryFolder()
  // It ignores the SIGTERM that it gets when its parent dies.
  const script = 'trap "" TERM; while :; do sleep 0.1; done'
  const { child, pid } = await killedSupervisor(folder.run, script)
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
  t.true(isRunning(pid))
  t.deepEqual(await endLeftovers(folder.run, 100), ['orphan'])
  await until('init has buried it', () => !isRunning(pid))
  t.deepEqual(readdirSync(folder.run), [])
})

if (process.platform === 'linux') {
  test('processes end with a supervisor that is killed', async (t) => {
    using folder = temporaryFolder()
    const { child, pid } = await killedSupervisor(folder.run, 'exec sleep 997')
    child.kill('SIGKILL')
    await t.notThrowsAsync(until('the process is gone', () => !isRunning(pid)))
  })
}

test('a process that has the pid of a former one is left alone', async (t) => {
  using folder = temporaryFolder()
  const stranger = spawn('sleep', ['996'])
  const record = join(folder.run, 'ams3-0.process.json')
  const former = {
    pid: stranger.pid,
    startedAt: '1',
    mark: 'sleep',
    supervisor: { pid: 1, startedAt: '1' },
  }
  writeFileSync(record, JSON.stringify(former))
  t.deepEqual(await endLeftovers(folder.run, 100), [])
  t.true(isRunning(stranger.pid ?? 0))
  t.deepEqual(readdirSync(folder.run), [])
  stranger.kill('SIGKILL')
})

test('a record that was cut off is forgotten', async (t) => {
  using folder = temporaryFolder()
  writeFileSync(join(folder.run, 'ams3-0.process.json'), '{"pid":')
  t.deepEqual(await endLeftovers(folder.run, 100), [])
  recordProcess(folder.run, 'ams3-1', process.pid, 'node')
  t.deepEqual(await endLeftovers(folder.run, 100), [])
})
