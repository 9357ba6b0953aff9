// Each rule of direction and purity seen failing: breaches are planted in a project that has only
// this one's lint rules, and one run of the linter must find every one of them and nothing else.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const root = fileURLToPath(new URL('..', import.meta.url))

const below = ['core', 'nats', 'store', 'kube']
const middle = [...below, 'requestor']
const beside = [...middle, 'laptop', 'functions']
const above = [...beside, 'image', 'gitops']
const folders = [...above, 'scripts', 'chat', 'console', 'tests', 'bench']
const mayImport = new Map<string, readonly string[]>([
  ['core', []],
  ...['nats', 'store', 'kube'].map((folder) => [folder, ['core']] as const),
  ['requestor', below],
  ...['laptop', 'functions'].map((folder) => [folder, middle] as const),
  ...['image', 'gitops'].map((folder) => [folder, beside] as const),
  ...['scripts', 'chat', 'console'].map((folder) => [folder, above] as const),
  ...['tests', 'bench'].map((folder) => [folder, folders] as const),
])
const mayImportClients = ['nats', 'tests', 'bench']

/** A file, its text, and the rule that finds fault with it: none for what is allowed. */
type Plant = readonly [file: string, text: string, rule?: string]

const take = (path: string): string => `import { here } from '${path}'\nexport const a = here\n`
const imports = 'no-restricted-imports'
const builtins = 'no-nodejs-modules'
const globals = 'no-restricted-globals'
const properties = 'no-restricted-properties'

const directions: Plant[] = folders.flatMap((from) =>
  folders
    .filter((to) => to !== from)
    .flatMap((to): Plant[] => [
      [`${from}/takes-${to}.ts`, take(`../${to}/here.ts`)],
      [`${from}/takes/${to}.ts`, take(`../../${to}/here.ts`)],
    ]),
)

const clients: Plant[] = folders.flatMap((folder): Plant[] => [
  [`${folder}/client.ts`, take('@nats-io/nats-core')],
  [`${folder}/client-type.ts`, `export type { Msg } from '@nats-io/nats-core'\n`],
  [`${folder}/transport.ts`, take('@nats-io/transport-node')],
])

const cases: Plant[] = [
  ['functions/type.ts', `export type { A } from '../scripts/here.ts'\n`, imports],
  ['functions/again.ts', `export { here } from '../scripts/here.ts'\n`, imports],
  ['functions/later.ts', `export const a = import('../scripts/here.ts')\n`, imports],
  ['functions/dot.ts', take('./../scripts/here.ts'), imports],
  ['functions/inner-dot.ts', take('.././scripts/here.ts'), imports],
  ['functions/slashes.ts', take('..//scripts/here.ts'), imports],
  ['functions/down-and-up.ts', take('../core/../scripts/here.ts'), imports],
  ['functions/encoded.ts', take('../%73cripts/here.ts'), imports],
  ['functions/absolute.ts', take('/scripts/here.ts'), 'no-absolute-path'],

  ['core/files.ts', take('node:fs'), builtins],
  ['core/files-later.ts', `export const a = import('node:fs/promises')\n`, builtins],
  ['core/http.ts', take('node:http'), builtins],
  ['core/https.ts', take('node:https'), builtins],
  ['core/machine.ts', take('node:os'), builtins],
  ['core/child.ts', take('node:child_process'), builtins],
  ['core/names.ts', take('node:dns'), builtins],
  ['core/tls.ts', take('node:tls'), builtins],
  ['core/timers.ts', take('node:timers'), builtins],
  ['core/process.ts', take('node:process'), builtins],
  ['core/socket.ts', `export { connect } from 'node:net'\n`, imports],
  ['core/address.ts', `export { isIP } from 'node:net'\n`],
  ['core/dice.ts', `export { randomBytes } from 'node:crypto'\n`, imports],
  ['core/keys.ts', `export { generateKeyPairSync } from 'node:crypto'\n`, imports],
  ['core/crypto.ts', `import c from 'node:crypto'\nexport const a = c.randomUUID()\n`, imports],
  ['core/sign.ts', `export { sign } from 'node:crypto'\n`],
  ['core/random.ts', 'export const a = Math.random()\n', properties],
  ['core/uuid.ts', 'export const a = crypto.randomUUID()\n', properties],
  ['core/now.ts', 'export const a = Date.now()\n', properties],
  ['core/timer.ts', 'setTimeout(() => 0, 1)\n', globals],
  ['core/environment.ts', `export const a = process.env['A']\n`, globals],
  ['core/global.ts', 'export const a = globalThis.process\n', globals],
  ['core/fetch.ts', `export const a = fetch('https://a.example')\n`, globals],
  ['core/log.ts', `console.log('a')\n`, 'no-console'],
  ['core/trust/sibling.ts', take('../chat/here.ts')],
  ['core/chat/here.ts', 'export const here = 1\n'],

  ['core/default.ts', 'export default 1\n', 'no-default-export'],
  ['core/barrel.ts', `export * from './here.ts'\n`, 'no-barrel-file'],
  ['core/cycle.ts', `import { b } from './cycle-end.ts'\nexport const a = () => b\n`, 'no-cycle'],
  ['core/cycle-end.ts', `import { a } from './cycle.ts'\nexport const b = () => a\n`, 'no-cycle'],
  ['core/camelCase.ts', 'export const a = 1\n', 'filename-case'],
  ['core/any.ts', 'export const a = (b: any): unknown => b\n', 'no-explicit-any'],
  ['core/floating.ts', 'Promise.resolve(1)\n', 'no-floating-promises'],
  ['core/thrown.ts', `export const a = (): never => {\n  throw 'a'\n}\n`, 'only-throw-error'],
]

const found = new Map<string, Set<string>>()

test.before(() => {
  const folder = mkdtempSync(join(tmpdir(), 'archipelago-lint-'))
  try {
    cpSync(join(root, 'oxlint.config.ts'), join(folder, 'oxlint.config.ts'))
    cpSync(join(root, 'tsconfig.json'), join(folder, 'tsconfig.json'))
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    for (const name of folders) plant(folder, [`${name}/here.ts`, 'export const here = 1\n'])
    for (const each of [...directions, ...clients, ...cases]) plant(folder, each)
    for (const { filename, code } of lint(folder)) {
      found.set(
        filename,
        (found.get(filename) ?? new Set()).add(code.replace(/^.*\((.*)\)$/, '$1')),
      )
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})

for (const [from, allowed] of mayImport) {
  const title = allowed === folders ? 'everywhere' : allowed.join(', ') || 'nowhere else'
  test(`${from} imports from ${title}`, (t) => {
    const forbidden = folders.filter((to) => to !== from && !allowed.includes(to))
    t.deepEqual(
      foundIn(from, 'takes'),
      forbidden.flatMap((to) => [`${from}/takes-${to}.ts`, `${from}/takes/${to}.ts`]).toSorted(),
    )
  })
}

for (const folder of folders) {
  const may = mayImportClients.includes(folder)
  test(`${folder} ${may ? 'may' : 'may not'} import the clients of nats-server`, (t) => {
    const files = ['client-type.ts', 'client.ts', 'transport.ts'].map((file) => `${folder}/${file}`)
    t.deepEqual([...foundIn(folder, 'client'), ...foundIn(folder, 'transport')], may ? [] : files)
  })
}

for (const [file, text, rule] of cases) {
  const line = text.trim().replaceAll('\n', '; ')
  test(`${rule ?? 'no rule'} finds fault with ${file}: ${line}`, (t) => {
    t.deepEqual([...(found.get(file) ?? [])], rule === undefined ? [] : [rule])
  })
}

test('every folder with code has a place among the directions', (t) => {
  const files = execFileSync('git', ['ls-files', '*/*.ts'], { cwd: root, encoding: 'utf8' })
  const inUse = new Set(
    files.split('\n').flatMap((file) => file.split('/').slice(0, -1).slice(0, 1)),
  )
  t.deepEqual(
    [...inUse].filter((folder) => !folders.includes(folder)),
    [],
  )
})

/** The files of a folder whose names begin so and whose only fault is an import. */
function foundIn(folder: string, beginning: string): string[] {
  return [...found]
    .filter(([file, rules]) => file.startsWith(`${folder}/${beginning}`) && rules.has(imports))
    .map(([file]) => file)
    .toSorted()
}

function plant(folder: string, [file, text]: Plant): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true })
  writeFileSync(join(folder, file), text)
}

interface Finding {
  readonly filename: string
  /** 'eslint(no-console)' */
  readonly code: string
}

function lint(folder: string): readonly Finding[] {
  const oxlint = join(root, 'node_modules', 'oxlint', 'bin', 'oxlint')
  const { stdout } = spawnSync(process.execPath, [oxlint, '--format=json'], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  return (JSON.parse(stdout) as { diagnostics: Finding[] }).diagnostics
}
