import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { findTool } from '../../laptop/tools.ts'
import { readPin, toolNames } from '../../laptop/tools/pin.ts'
import { findVersion, isAtLeast } from '../../laptop/tools/version.ts'

// Stand-ins for Go, which never fails, hangs or is killed when it ought to: the flag after -o
// names what is to be built.
const goodGo =
  'while [ "$1" != -o ]; do shift; done; printf "#!/bin/sh\\n" > "$2"; /bin/chmod +x "$2"'
const slowGo = `${goodGo}; : > "$STARTED"; exec /bin/sleep 60`
const brokenGo = 'echo "go: downloading a/b v1.0.0" >&2; echo "go: no such host" >&2; exit 1'

const startDeadlineMs = 20_000
const pin = readPin('nats-server')

for (const [version, isTaken] of [
  ['nats-server: v2.14.5', true],
  ['nats-server: v2.14.10', true],
  ['nats-server: v3.0.0', true],
  ['nats-server: v2.14.4', false],
  ['nats-server: v2.9.10', false],
  ['nats-server: v2.15.0-RC.1', false],
  ['nats-server: development', false],
] as const) {
  test(`'${version}' on PATH is ${isTaken ? 'taken' : 'passed over'}`, async (t) => {
    const machine = makeMachine(t)
    const file = machine.put('nats-server', `echo '${version}'`)
    const found = findTool('nats-server', machine.options)
    if (isTaken) t.is(await found, file)
    else await t.throwsAsync(found, { code: 'ERR_TOOL_MISSING' })
  })
}

test('a newer binary behind an older one on PATH is taken', async (t) => {
  const machine = makeMachine(t)
  machine.put('nats-server', 'echo v2.9.10')
  const file = machine.put('nats-server', 'echo v2.15.2', 'second')
  t.is(await findTool('nats-server', machine.options), file)
})

test('what lies in a relative folder of PATH, or cannot be executed, is passed over', async (t) => {
  const machine = makeMachine(t)
  const file = machine.put('nats-server', 'echo v2.15.2')
  const PATH = relative(process.cwd(), machine.folder('first'))
  const environment = { ...machine.options.environment, PATH }
  await t.throwsAsync(findTool('nats-server', { ...machine.options, environment }))
  chmodSync(file, 0o644)
  await t.throwsAsync(findTool('nats-server', machine.options))
})

test('a binary on PATH is asked for its version once, and again when it has changed', async (t) => {
  const machine = makeMachine(t)
  const count = join(machine.folder('first'), 'count')
  const file = machine.put('nats-server', `echo asked >> '${count}'; echo v2.15.2`)
  await findTool('nats-server', machine.options)
  await findTool('nats-server', machine.options)
  t.is(readFileSync(count, 'utf8'), 'asked\n')
  utimesSync(file, 1, 1)
  await findTool('nats-server', machine.options)
  t.is(readFileSync(count, 'utf8'), 'asked\nasked\n')
})

test('without Go, the refusal names what is too old and says how to get the tool', async (t) => {
  const machine = makeMachine(t)
  const file = machine.put('nats-server', 'echo v2.9.10')
  await t.throwsAsync(findTool('nats-server', machine.options), {
    code: 'ERR_TOOL_MISSING',
    message:
      `missing tool: nats-server (${file} is 2.9.10)\n` +
      'install Go 1.26 or later, or put nats-server 2.14.5 or later on PATH',
  })
})

test('a build is announced with the binary that is too old, and happens once', async (t) => {
  const machine = makeMachine(t)
  machine.put('go', goodGo)
  const old = machine.put('nats-server', 'echo v2.9.10')
  const built = await findTool('nats-server', machine.options)
  t.is(built, await findTool('nats-server', machine.options))
  t.is(built, join(machine.cache, `nats-server-${pin.version}-${pin.hash}`, 'nats-server'))
  t.deepEqual(machine.lines, [
    `building nats-server ${pin.version} with Go, about 30 s, once (${old} is 2.9.10, and 2.14.5 is the least)`,
  ])
})

test('a failing build is refused with the last words of Go, and leaves nothing', async (t) => {
  const machine = makeMachine(t)
  machine.put('go', brokenGo)
  await t.throwsAsync(findTool('nsc', machine.options), {
    code: 'ERR_TOOL_UNBUILT',
    message:
      "Go cannot build nsc 2.12.2: 'go: no such host'\n" +
      'install Go 1.25 or later, or put nsc 2.12.2 or later on PATH',
  })
  t.deepEqual(machine.built(), [])
})

test('a cache that cannot be written is refused', async (t) => {
  const machine = makeMachine(t)
  machine.put('go', goodGo)
  const XDG_CACHE_HOME = machine.put('file', '')
  const environment = { ...machine.options.environment, XDG_CACHE_HOME }
  const error = await t.throwsAsync(findTool('nsc', { ...machine.options, environment }))
  t.like(error, { code: 'ERR_TOOL_UNBUILT' })
  t.regex(
    error?.message ?? '',
    /^unwritable folder for built tools: '.*'\nmake it writable, or set/,
  )
})

test('builds at the same time give the same whole tool and leave no draft', async (t) => {
  const machine = makeMachine(t)
  machine.put('go', goodGo)
  const paths = await Promise.all(toolNames.map(() => findTool('nsc', machine.options)))
  t.is(new Set(paths).size, 1)
  t.deepEqual(machine.built(), ['nsc'])
})

test('an aborted build ends Go and leaves nothing', async (t) => {
  const machine = makeMachine(t)
  machine.put('go', slowGo)
  const end = new AbortController()
  const found = findTool('nsc', { ...machine.options, signal: end.signal })
  await machine.started()
  end.abort(new Error('enough'))
  await t.throwsAsync(found, { message: 'enough' })
  t.deepEqual(machine.built(), [])
})

test('a killed build leaves no tool, and its draft goes with the next build', async (t) => {
  const machine = makeMachine(t)
  machine.put('go', slowGo)
  const module = new URL('../../laptop/tools.ts', import.meta.url)
  const code = `import { findTool } from '${module.href}'; await findTool('nsc', { report: () => {} })`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    env: machine.options.environment,
    detached: true,
  })
  await machine.started()
  process.kill(-(child.pid ?? t.fail()), 'SIGKILL')
  await once(child, 'exit')
  t.is(machine.built().length, 1)
  t.regex(machine.built()[0] ?? '', /^draft-/)

  machine.put('go', goodGo)
  await findTool('nsc', machine.options)
  t.deepEqual(machine.built(), ['nsc'])
})

test('finding tools that are there costs less than 5 ms each', async (t) => {
  const machine = makeMachine(t)
  machine.put('go', goodGo)
  machine.put('nats-server', 'echo v2.15.2')
  for (const name of toolNames) await findTool(name, machine.options)
  for (const name of toolNames) {
    const times: number[] = []
    for (let round = 0; round < 15; round++) {
      const start = performance.now()
      await findTool(name, machine.options)
      times.push(performance.now() - start)
    }
    // The median: the machine may be busy.
    t.true((times.toSorted((a, b) => a - b)[7] ?? Infinity) < 5, `${name}: ${times.join(' ')}`)
  }
})

for (const name of toolNames) {
  test(`the ${name} of this machine is as new as its floor`, async (t) => {
    const path = await findTool(name, { report: (line) => t.log(line) })
    const { floor, versionArgument } = readPin(name)
    const version = findVersion(execFileSync(path, [versionArgument], { encoding: 'utf8' }))
    t.true(isAtLeast(version ?? '0.0.0', floor), version)
  })
}

/** A machine of its own: two folders on PATH, both empty, and a cache. */
function makeMachine(t: ExecutionContext) {
  const root = mkdtempSync(join(tmpdir(), 'archipelago-tools-'))
  t.teardown(() => rmSync(root, { recursive: true }))
  const folder = (name: string): string => join(root, name)
  mkdirSync(folder('first'))
  mkdirSync(folder('second'))
  const started = folder('started')
  const cache = join(root, 'cache', 'archipelago', 'tools')
  const lines: string[] = []
  const PATH = `${folder('first')}:${folder('second')}`
  const environment = { PATH, XDG_CACHE_HOME: folder('cache'), STARTED: started }
  return {
    folder,
    cache,
    lines,
    options: { environment, report: (line: string) => void lines.push(line) },
    put(name: string, script: string, place = 'first'): string {
      const file = join(root, place, name)
      writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
      return file
    },
    /** What lies in the cache beside the memory of PATH. */
    built: () =>
      readdirSync(cache)
        .filter((name) => name !== 'on-path')
        .flatMap((name) => readdirSync(join(cache, name))),
    async started(): Promise<void> {
      const deadline = performance.now() + startDeadlineMs
      while (!existsSync(started)) {
        if (performance.now() > deadline) throw new Error('the build has not started')
        await setTimeout(10)
      }
    },
  }
}
