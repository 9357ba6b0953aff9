// Rules of the repository that no other tool holds, asked of every file that git carries.
import { execFile, execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { formatExitCodes } from '../core/identity/format-peer.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const linesMax = 250

const files = git('ls-files').filter((file) => existsSync(join(root, file)))
const texts = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]))
const sources = files.filter((file) => /\.(ts|js)$/.test(file) && !/^(tests|bench)\//.test(file))
const readme = texts.get('README.md') ?? ''
const commands = files.filter(
  (file) =>
    /^scripts\/[^/]+\.ts$/.test(file) && /^(main\(\)\.catch|runCommand)\(/m.test(read(file)),
)

for (const { title, pattern, except = /^package-lock\.json$/ } of [
  { title: 'no file holds an nkey seed', pattern: /\bS[OAUNCX][A-Z2-7]{56}\b/ },
  { title: 'no file holds a private key', pattern: /-----BEGIN (?!USER )[A-Z ]*PRIVATE KEY-----/ },
  {
    title: 'no file names the host of a package registry',
    pattern: /registry\.(npmjs|yarnpkg)|(proxy|sum)\.golang\.org|pypi\.org|crates\.io|deb\.debian/,
    except: /^$/,
  },
  {
    title: 'no file names a folder of one machine',
    pattern: /(?<![\w.~*-])\/(work|root|home|Users|tmp)\/\w/,
  },
  { title: 'no version is the newest of the day', pattern: /[:@]latest\b|: ?"latest"/ },
  {
    title: 'no test is left out or alone',
    pattern: /\btest(\.\w+)*\.(only|skip|todo|failing)\b/,
  },
]) {
  test(title, (t) => {
    const found = files.filter((file) => !except.test(file) && pattern.test(read(file)))
    t.deepEqual(found, [])
  })
}

test('core prints nothing and asks no clock', (t) => {
  const core = files.filter((file) => file.startsWith('core/'))
  t.deepEqual(
    core.filter((file) => /\bconsole\.|\bnew Date\(\)/.test(read(file))),
    [],
  )
})

test('no file is a bucket by its name', (t) => {
  const buckets = /^(utils?|helpers?|common|types|index|misc|shared)\./
  t.deepEqual(
    files.filter((file) => buckets.test(basename(file))),
    [],
  )
})

test('plain JavaScript is only what has to run before TypeScript can', (t) => {
  t.deepEqual(
    files.filter((file) => /\.[cm]?js$/.test(file)),
    ['ava.config.js', 'install.js'],
  )
})

test(`no source file is longer than ${linesMax} lines`, (t) => {
  const long = sources.filter((file) => read(file).trimEnd().split('\n').length > linesMax)
  t.deepEqual(long, [])
})

interface Package {
  readonly scripts?: Record<string, string>
  readonly dependencies?: Record<string, string>
  readonly devDependencies?: Record<string, string>
  readonly optionalDependencies?: Record<string, string>
}
const manifest = JSON.parse(read('package.json')) as Package

test('every dependency is pinned to one version', (t) => {
  const versions = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })
  t.deepEqual(
    versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version)),
    [],
  )
})

test('the lock holds what a package needs on every platform, or npm ci would refuse it', (t) => {
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, Package>
  }
  const locked = new Set(Object.keys(packages).map((path) => path.replace(/^.*node_modules\//, '')))
  const needed = Object.values(packages).flatMap((each) =>
    Object.keys(each.optionalDependencies ?? {}),
  )
  t.deepEqual(
    needed.filter((name) => !locked.has(name)),
    [],
  )
})

test('every npm script installs first, and then runs the Node of the lock', (t) => {
  // A shell remembers where it found its first node: on a fresh clone that is an older one.
  const scripts = Object.values(manifest.scripts ?? {})
  t.deepEqual(
    scripts.filter((script) => !/^node install\.js && (?!(.*&& )?node )/.test(script)),
    [],
  )
})

test('every folder of the house stands in docs/architecture.md', (t) => {
  const architecture = read('docs/architecture.md')
  const folders = new Set(sources.map((file) => dirname(file)).filter((folder) => folder !== '.'))
  t.deepEqual(
    [...folders].filter((folder) => !architecture.includes(`\`${folder}/\``)),
    [],
  )
})

test('the exit codes of verify-peer stand in docs/operations.md as it prints them', (t) => {
  t.true(read('docs/operations.md').includes(`\n${formatExitCodes().join('\n')}\n`))
})

test('every link in a document leads to a file', (t) => {
  const documents = files.filter((file) => file.endsWith('.md'))
  const broken = documents.flatMap((document) =>
    [...read(document).matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g)]
      .map(([, target = '']) => normalize(join(dirname(document), target)))
      .filter((target) => !existsSync(join(root, target)))
      .map((target) => `${document}: ${target}`),
  )
  t.deepEqual(broken, [])
})

test('every function is in the README', (t) => {
  const functions = files.filter((file) => /^functions\/[^/]+\.ts$/.test(file))
  t.deepEqual(
    functions.filter((file) => !readme.includes(file)),
    [],
  )
})

for (const file of commands) {
  // One after the other: each is a process that reads most of the project.
  test.serial(`${file} is in the README and explains itself`, async (t) => {
    t.true(readme.includes(file), `README.md says nothing of ${file}`)
    const help = [join(root, file), '--help']
    const { stdout } = await promisify(execFile)(process.execPath, help, { timeout: 90_000 })
    t.regex(stdout, new RegExp(`^Usage: ${basename(file, '.ts')}\\b`))
  })
}

function git(...args: string[]): string[] {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim().split('\n')
}

function read(file: string): string {
  return texts.get(file) ?? ''
}
