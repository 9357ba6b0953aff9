// Installs the packages of package-lock.json when node_modules holds others: npm calls it before
// every script. Plain JavaScript, for it runs on the Node that the machine has, 18 or later.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const root = dirname(fileURLToPath(import.meta.url))
const lockfile = join(root, 'package-lock.json')
const modules = join(root, 'node_modules')
const stamp = join(modules, '.installed-from')
// npm writes it at the end of an install.
const inventory = join(modules, '.package-lock.json')
// Held by the process that installs: npm ci begins by emptying node_modules.
const turn = join(root, '.install-turn')
const turnMinutesMax = 10

main().catch((error) => {
  console.error(`install: ${error.message}`)
  process.exitCode = 1
})

async function main() {
  if (isInstalled()) return
  await takeTurn()
  try {
    if (!isInstalled()) install()
  } finally {
    rmSync(turn, { force: true })
  }
}

function isInstalled() {
  const digest = createHash('sha256').update(readFileSync(lockfile)).digest('hex')
  if (read(stamp) === digest) return true
  if (!holdsLockedPackages()) return false
  writeFileSync(stamp, digest)
  return true
}

/** True after an install by hand, too. Only what other platforms need may be missing. */
function holdsLockedPackages() {
  const { '': _root, ...locked } = JSON.parse(read(lockfile)).packages
  const installed = JSON.parse(read(inventory) ?? '{"packages":{}}').packages
  const hasPackage = ([path, { version, integrity, optional }]) => {
    const { [path]: found } = installed
    return found ? found.version === version && found.integrity === integrity : optional === true
  }
  return existsSync(join(modules, '.bin', 'node')) && Object.entries(locked).every(hasPackage)
}

function install() {
  console.error('install: npm ci, about 20 s, once for each package-lock.json')
  rmSync(stamp, { force: true })
  rmSync(inventory, { force: true })
  const { status, stderr, error } = npmCi()
  if (status !== 0) {
    fail(
      `npm ci failed: ${error?.message ?? npmErrors(stderr)}`,
      'check the network and the registry that npm is set to, then run it again',
    )
  }
  if (!isInstalled()) {
    fail(
      'npm ci left out what package-lock.json names, or the Node in it',
      "check npm's settings 'omit' and 'ignore-scripts', then run it again",
    )
  }
}

/** The first lines of what npm says, as one: 'ECONNREFUSED, connect, request to … failed'. */
function npmErrors(stderr) {
  const lines = [...stderr.matchAll(/^npm (?:error|ERR!) (?:code |syscall |network )?(.+)$/gm)]
  if (lines.length === 0) return stderr.trim()
  return lines
    .slice(0, 3)
    .map((line) => line[1])
    .join(', ')
}

function fail(what, whatToDo) {
  throw new Error(`${what}\n${whatToDo}`)
}

function npmCi() {
  const options = { cwd: root, encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] }
  const flags = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
  const { npm_node_execpath: node, npm_execpath: npm } = process.env
  // The npm that is running; another package manager has another name here.
  if (node && npm?.endsWith('npm-cli.js')) return spawnSync(node, [npm, ...flags], options)
  return spawnSync('npm', flags, options)
}

async function takeTurn() {
  const mine = `${turn}-${process.pid}`
  writeFileSync(mine, String(process.pid))
  try {
    await link(mine)
  } finally {
    rmSync(mine, { force: true })
  }
}

async function link(mine) {
  const deadline = Date.now() + turnMinutesMax * 60_000
  let announced
  while (!tryLink(mine, turn)) {
    const holder = read(turn)
    if (holder === undefined) continue
    if (!isAlive(Number(holder))) rmSync(turn, { force: true })
    else if (Date.now() > deadline) {
      fail(
        `process ${holder} has been installing for ${turnMinutesMax} minutes`,
        `end it, or remove ${turn}, then run it again`,
      )
    } else if (announced !== holder) {
      console.error(`install: waiting for process ${holder}, which is installing`)
      announced = holder
    } else await setTimeout(200)
  }
}

/** A link appears whole: nobody reads a turn without its holder. */
function tryLink(from, to) {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
