// Installs the packages of package-lock.json when node_modules holds others: every npm script
// begins with it. Plain JavaScript, for it runs on the Node that the machine has, 18 or later.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const root = dirname(fileURLToPath(import.meta.url))
const lockfile = join(root, 'package-lock.json')
const modules = join(root, 'node_modules')
const stamp = join(modules, '.installed-from')
// npm writes it at the end of an install.
const inventory = join(modules, '.package-lock.json')
// Names the processes that install, for npm ci begins by emptying node_modules.
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
    if (!isInstalled()) await install()
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

async function install() {
  console.error('install: npm ci, about 20 s, once for each package-lock.json')
  rmSync(stamp, { force: true })
  rmSync(inventory, { force: true })
  const { code, said } = await npmCi()
  if (code !== 0) {
    fail(
      `npm ci failed: ${npmErrors(said)}`,
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
  if (lines.length === 0) return stderr.trim() || 'it was ended'
  return lines
    .slice(0, 3)
    .map((line) => line[1])
    .join(', ')
}

function fail(what, whatToDo) {
  throw new Error(`${what}\n${whatToDo}`)
}

async function npmCi() {
  const [command, ...npm] = npmCommand()
  const flags = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
  const child = spawn(command, [...npm, ...flags], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  // npm may outlive this process, and has the turn until it ends.
  holdTurn(process.pid, child.pid)
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
  const [said, code] = await Promise.all([text(child.stderr), ended])
  return { said, code }
}

function npmCommand() {
  const { npm_node_execpath: node, npm_execpath: npm } = process.env
  // The npm that is running; another package manager has another name here.
  return node && npm?.endsWith('npm-cli.js') ? [node, npm] : ['npm']
}

async function takeTurn() {
  const deadline = Date.now() + turnMinutesMax * 60_000
  let isTold = false
  while (!holdTurn(process.pid)) {
    const holders = read(turn)?.split(' ') ?? []
    if (holders.length === 0) continue
    const holder = holders.find(isAlive)
    if (holder === undefined) {
      rmSync(turn, { force: true })
      continue
    }
    if (Date.now() > deadline) {
      fail(
        `process ${holder} has been installing for ${turnMinutesMax} minutes`,
        `end it, or remove ${turn}, then run it again`,
      )
    }
    if (!isTold) console.error(`install: waiting for process ${holder}, which is installing`)
    isTold = true
    await setTimeout(200)
  }
}

/** Writes the turn, which appears whole; false where another has it. */
function holdTurn(...pids) {
  const draft = `${turn}-${process.pid}`
  writeFileSync(draft, pids.join(' '))
  try {
    if (pids.length > 1) renameSync(draft, turn)
    else linkSync(draft, turn)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

function isAlive(pid) {
  try {
    return process.kill(Number(pid), 0)
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
