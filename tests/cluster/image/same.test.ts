// The claim of docs/adr/0012-images.md: equal sources, equal digests, whatever the machine is like.
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { componentFile, parseComponent } from '../../../image/component.ts'
import { run } from '../lab/run.ts'
import { temporaryFolder } from '../../temporary-folder.ts'
import { copyRepository, root } from './repository-copy.ts'

// The first time, on a busy machine.
const deadlineMs = 540_000

const committed = parseComponent(readFileSync(join(root, componentFile), 'utf8')).map(
  ({ name, digest }) => [name, digest],
)

/** Of what is made there, with nothing in the cache that was not made there. */
async function digestsIn(folder: string, environment: NodeJS.ProcessEnv) {
  const command = `umask ${environment['UMASK']}; exec "$0" "$@"`
  const script = [process.execPath, join(folder, 'scripts/image.ts'), '--dry-run', '--json']
  const env = { ...process.env, ...environment }
  const options = { cwd: folder, env, deadlineMs }
  const said = await run('sh', ['-c', command, ...script], options)
  const images = JSON.parse(said) as { name: string; digest: string }[]
  return images.map(({ name, digest }) => [name, digest])
}

test('a machine that is set otherwise in everything makes the same images', async (t) => {
  const environment = await foreignMachine(t)
  const there = await digestsIn(join(environment.HOME, 'elsewhere'), environment)
  t.deepEqual(there, await digestsIn(root, { UMASK: '022' }))
})

test('the committed digests are those of the sources as they are: else run npm run image', async (t) => {
  t.deepEqual(await digestsIn(root, { UMASK: '022' }), committed)
})

/** Another folder, home, cache, language, time zone, umask, and settings of Go that change what it builds. */
async function foreignMachine(t: ExecutionContext) {
  const HOME = temporaryFolder(t)
  const folder = join(HOME, 'elsewhere')
  await copyRepository(folder)
  // Compiled apart from everything else on this machine, but once: it takes a minute.
  const apart = join(homedir(), '.cache/archipelago/elsewhere')
  return {
    HOME,
    UMASK: '077',
    XDG_CACHE_HOME: join(HOME, 'cache'),
    GOCACHE: join(apart, 'compiled'),
    GOMODCACHE: join(apart, 'modules'),
    GOFLAGS: '-tags=other',
    GOAMD64: 'v3',
    GOEXPERIMENT: 'arenas',
    CGO_ENABLED: '1',
    TZ: 'Pacific/Kiritimati',
    LC_ALL: 'C.UTF-8',
    LANG: 'tr_TR.UTF-8',
    SOURCE_DATE_EPOCH: '1',
    NODE_ENV: 'test',
    // Where this machine gets its packages and modules from.
    npm_config_userconfig: join(homedir(), '.npmrc'),
    GOENV: (await run('go', ['env', 'GOENV'])).trim(),
  }
}
