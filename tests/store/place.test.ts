import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { ownStores, requireClosed, requireOutside, workTreeOf } from '../../store/place.ts'
import { temporaryFolder } from '../temporary-folder.ts'

for (const [what, place] of [
  ['the repository', 'repository'],
  ['a folder in it', 'repository/data'],
  ['a folder in it that is not there yet', 'repository/a/b/c'],
  ['a way around to it', 'elsewhere/../repository/data'],
  ['a link to it', 'link/data'],
] as const)
  test(`keys may not lie in ${what}`, (t) => {
    const folder = temporaryFolder(t)
    for (const name of ['repository', 'elsewhere']) mkdirSync(join(folder, name))
    symlinkSync(join(folder, 'repository'), join(folder, 'link'))
    const data = join(folder, place)
    const forbidden = [{ path: join(folder, 'repository'), what: 'the repository' }]
    t.throws(() => requireOutside(data, forbidden), {
      code: 'ERR_STORE_PLACE',
      message: `keys may not lie in the repository: ${data}`,
    })
  })

for (const place of ['repository-data', 'elsewhere', '.', 'repository..data'])
  test(`keys may lie in ${place}`, (t) => {
    const folder = temporaryFolder(t)
    mkdirSync(join(folder, 'repository'))
    const forbidden = [{ path: join(folder, 'repository'), what: 'the repository' }]
    t.notThrows(() => requireOutside(join(folder, place), forbidden))
  })

test('a work tree of git is found from any folder in it', (t) => {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'tree', '.git'), { recursive: true })
  mkdirSync(join(folder, 'tree', 'a', 'b'), { recursive: true })
  const [tree] = workTreeOf(join(folder, 'tree', 'a', 'b'))
  t.is(tree?.path, join(folder, 'tree'))
  t.deepEqual(workTreeOf(folder), [])
})

test("the user's own nsc stores are where nsc looks for them", (t) => {
  const paths = (env: NodeJS.ProcessEnv) => ownStores('/house/a', env).map(({ path }) => path)
  t.deepEqual(paths({}), [
    '/house/a/.local/share/nats',
    '/house/a/.config/nats',
    '/house/a/.nsc',
    '/house/a/.nkeys',
  ])
  const named = { XDG_DATA_HOME: '/data', XDG_CONFIG_HOME: '', NSC_HOME: '/nsc', NKEYS_PATH: '/k' }
  for (const path of ['/data/nats', '/nsc', '/k']) t.true(paths(named).includes(path))
})

function makeStore(folder: string): string {
  const data = join(folder, 'data')
  mkdirSync(join(data, 'ams3', 'signing'), { recursive: true, mode: 0o700 })
  mkdirSync(join(data, 'public'), { mode: 0o755 })
  writeFileSync(join(data, 'ams3', 'signing', 'member.nk'), 'seed', { mode: 0o600 })
  writeFileSync(join(data, 'ams3', 'audit.log'), '', { mode: 0o644 })
  writeFileSync(join(data, 'public', 'operator.jwt'), 'jwt', { mode: 0o644 })
  return data
}

test('a store that only its owner can read is taken, whatever is public in it', (t) => {
  t.notThrows(() => requireClosed(makeStore(temporaryFolder(t))))
})

for (const [path, mode] of [
  ['.', 0o755],
  ['.', 0o710],
  ['ams3', 0o750],
  ['ams3/signing', 0o711],
  ['ams3/signing/member.nk', 0o640],
  ['ams3/signing/member.nk', 0o604],
] as const)
  test(`${path} with mode ${mode.toString(8)} is refused and left for its owner to judge`, (t) => {
    const data = makeStore(temporaryFolder(t))
    const open = join(data, path)
    chmodSync(open, mode)
    t.throws(() => requireClosed(data), {
      code: 'ERR_STORE_OPEN',
      message: `others can read the store: ${open} (mode ${mode.toString(8)})`,
    })
    t.is(statSync(open).mode & 0o777, mode)
  })

test('the first of several open places is named, and the others counted', (t) => {
  const data = makeStore(temporaryFolder(t))
  chmodSync(data, 0o755)
  chmodSync(join(data, 'ams3'), 0o755)
  t.throws(() => requireClosed(data), {
    message: `others can read the store: ${data} (mode 755) and 1 more`,
  })
})

test('a folder that holds nothing yet is closed, and one that is not there is no matter', (t) => {
  const data = join(temporaryFolder(t), 'data')
  t.notThrows(() => requireClosed(data))
  mkdirSync(data, { mode: 0o755 })
  requireClosed(data)
  t.is(statSync(data).mode & 0o777, 0o700)
})
