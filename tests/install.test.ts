// install.js with the real npm, in small projects whose lock names one local package: the node.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'

const announcement = 'install: npm ci, about 20 s, once for each package-lock.json\n'
const installed = { code: 0, said: announcement }
const leftAlone = { code: 0, said: '' }

test('missing packages are installed, and then left alone', async (t) => {
  const project = makeProject(t)
  t.deepEqual(await project.install(), installed)
  t.true(existsSync(project.path('node_modules/.bin/node')))
  t.deepEqual(await project.install(), leftAlone)
})

test('what was installed by hand is left alone', async (t) => {
  const project = makeProject(t)
  t.is(
    spawnSync('npm', ['ci', '--offline'], { cwd: project.path('.'), env: project.env }).status,
    0,
  )
  t.deepEqual(await project.install(), leftAlone)
})

test('packages of another lock are replaced', async (t) => {
  const project = makeProject(t)
  await project.install()
  project.lock({ version: '1.0.1' })
  t.deepEqual(await project.install(), installed)
  t.deepEqual(await project.install(), leftAlone)
})

test('of two at once, one installs and the other waits for it', async (t) => {
  const project = makeProject(t)
  const both = await Promise.all([project.install(), project.install()])
  const said = both.map((each) => each.said).join('')
  t.deepEqual(
    said.replace(/install: waiting for process \d+, which is installing\n/, ''),
    announcement,
  )
  t.deepEqual(
    both.map(({ code }) => code),
    [0, 0],
  )
})

test('it waits for an npm that has outlived its starter', async (t) => {
  const project = makeProject(t)
  const turn = project.path('.install-turn')
  writeFileSync(turn, `${spawnSync('true').pid} ${process.pid}`)
  const waiting = `install: waiting for process ${process.pid}, which is installing\n`
  const hear = (line: string): void => {
    t.is(line, waiting)
    rmSync(turn)
  }
  t.deepEqual(await project.install({ hear }), { code: 0, said: waiting + announcement })
})

test('the turn of a process that has died is taken over', async (t) => {
  const project = makeProject(t)
  writeFileSync(project.path('.install-turn'), String(spawnSync('true').pid))
  t.deepEqual(await project.install(), installed)
  t.false(existsSync(project.path('.install-turn')))
})

test('a failing npm is told in a line for what and a line for what to do', async (t) => {
  const project = makeProject(t)
  project.lock({ version: '1.0.0', dependency: 'file:./elsewhere' })
  const { code, said } = await project.install()
  t.is(code, 1)
  t.regex(
    said.replace(announcement, ''),
    /^install: npm ci failed: .+\ncheck the network and .+\n$/,
  )
  t.false(existsSync(project.path('.install-turn')))
})

test('packages that npm leaves out are told, too', async (t) => {
  const project = makeProject(t)
  project.lock({ version: '1.0.0', bin: 'other' })
  const { code, said } = await project.install()
  t.is(code, 1)
  t.regex(said, /\ninstall: npm ci left out what .+\ncheck npm's settings .+\n$/)
})

interface Lock {
  readonly version: string
  readonly bin?: string
  readonly dependency?: string
}

function makeProject(t: ExecutionContext) {
  const root = mkdtempSync(join(tmpdir(), 'archipelago-install-'))
  t.teardown(() => rmSync(root, { recursive: true }))
  const path = (name: string): string => join(root, name)
  // Else npm writes them into the home of whoever runs the tests.
  const env = { ...process.env, npm_config_logs_dir: path('logs') }
  const write = (name: string, value: object): void =>
    writeFileSync(path(name), JSON.stringify(value))

  function lock({ version, bin = 'node', dependency = 'file:./local' }: Lock): void {
    const local = { version, bin: { [bin]: 'node.js' } }
    const dependencies = { node: dependency }
    write('local/package.json', { name: 'node', ...local })
    write('package.json', { name: 'a', version: '1.0.0', type: 'module', dependencies })
    write('package-lock.json', {
      ...{ name: 'a', version: '1.0.0', lockfileVersion: 3, requires: true },
      packages: {
        '': { name: 'a', version: '1.0.0', dependencies: { node: 'file:./local' } },
        local: { name: 'node', ...local },
        'node_modules/node': { resolved: 'local', link: true },
      },
    })
  }

  async function install({ hear }: { hear?: (line: string) => void } = {}) {
    const child = spawn(process.execPath, [path('install.js')], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    if (hear !== undefined) child.stderr.once('data', (data: Buffer) => hear(data.toString()))
    const [said] = await Promise.all([text(child.stderr), once(child, 'close')])
    return { code: child.exitCode, said }
  }

  mkdirSync(path('local'))
  writeFileSync(path('local/node.js'), '#!/usr/bin/env node\n', { mode: 0o755 })
  cpSync(fileURLToPath(new URL('../install.js', import.meta.url)), path('install.js'))
  lock({ version: '1.0.0' })
  return { path, env, lock, install }
}
