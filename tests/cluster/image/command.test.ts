// npm run image as an operator runs it, in a clone of its own.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { componentFile, parseComponent } from '../../../image/component.ts'
import { linesUnder } from '../../docs/command.ts'
import { openTerminal } from '../../docs/terminal.ts'
import { run, type Ran } from '../../run-script.ts'
import { temporaryFolder } from '../../temporary-folder.ts'
import { byPassword, credentials, startRegistry } from './registry.ts'
import { copyRepository } from './repository-copy.ts'

async function openClone(t: ExecutionContext) {
  const folder = join(temporaryFolder(t), 'clone')
  await copyRepository(folder)
  const login = {
    ARCHIPELAGO_REGISTRY_USER: credentials.username,
    ARCHIPELAGO_REGISTRY_PASSWORD: credentials.password,
  }
  const component = () => readFileSync(join(folder, componentFile), 'utf8')
  return {
    folder,
    component,
    terminal: openTerminal({ clone: folder, home: homedir(), env: login }),
    places: () => parseComponent(component()).map(({ repository }) => repository),
    image: (...args: string[]): Promise<Ran> => {
      const script = [join(folder, 'scripts/image.ts'), '--out', join(folder, 'out'), ...args]
      return run(process.execPath, script, { cwd: folder, env: { ...process.env, ...login } })
    },
  }
}

test('images are pushed, and pods get them from there until they are pushed elsewhere', async (t) => {
  const host = await startRegistry(t, byPassword)
  const clone = await openClone(t)
  const [, image = '', push = ''] = linesUnder('docs/operations.md', 'Images')
  await clone.terminal.type(`registry=${host}/team`)
  for (const line of [image, push]) {
    const shown = await clone.terminal.type(line, { deadlineMs: 300_000 })
    t.false(shown.includes(credentials.password))
  }
  const places = [`${host}/team/nats-server`, `${host}/team/functions`]
  t.deepEqual(clone.places(), places)
  t.deepEqual(readdirSync(join(clone.folder, 'images')).toSorted(), [
    'functions.cdx.json',
    'functions.tar',
    'nats-server.cdx.json',
    'nats-server.tar',
  ])

  const again = await clone.image('--json')
  t.deepEqual(clone.places(), places)
  t.is(again.stderr, '')
  const made = JSON.parse(again.stdout) as { repository: string; digest: string }[]
  const images = parseComponent(clone.component())
  t.deepEqual(
    made.map(({ repository, digest }) => [repository, digest]),
    images.map(({ repository, digest }) => [repository, digest]),
  )
})

test('a dry run makes them and changes nothing, here or there', async (t) => {
  const host = await startRegistry(t, byPassword)
  const clone = await openClone(t)
  const before = clone.component()
  const { code, stdout, stderr } = await clone.image('--dry-run', '--push', host)
  t.is(code, 0, stderr)
  t.regex(stderr, /kustomization.yaml would change\n$/)
  t.true(stdout.includes(`${host}/functions@sha256:`))
  t.is(clone.component(), before)
  t.false(existsSync(join(clone.folder, 'out')))
  const { username, password } = credentials
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  const catalogue = await fetch(`http://${host}/v2/_catalog`, { headers: { authorization } })
  t.deepEqual(await catalogue.json(), { repositories: [] })
})
