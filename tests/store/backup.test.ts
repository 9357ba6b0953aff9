import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { parseArchipelago } from '../../core/archipelago.ts'
import { decrypt, encrypt } from '../../store/age.ts'
import {
  findHomes,
  packBackup,
  readHomes,
  unpackBackup,
  type Manifest,
} from '../../store/backup.ts'
import { openFiles } from '../../store/files.ts'
import { publicFiles } from '../../store/public.ts'
import { restoreHomes } from '../../store/restore.ts'
import { packTar } from '../../store/tar.ts'
import { edited, file } from '../core/archipelago/example.ts'
import { archipelago, pairOf } from '../core/trust/example.ts'
import { makeHomes, snapshot, type TestHomes } from './home.ts'

const all = ['operator', 'ams3', 'sfo2', 'sgp1']
const manifest: Manifest = {
  version: 1,
  network: archipelago.network,
  homes: all,
  madeAt: '2026-01-01T00:00:00.000Z',
}

/** Contents and modes; times are new after a restore. */
function contents(folder: string): Map<string, string> {
  return new Map([...snapshot(folder)].map(([path, state]) => [path, state.replace(/ \d+ /, ' ')]))
}

function backUp({ homes }: TestHomes, of = all): ReturnType<typeof readHomes> {
  return unpackBackup(packBackup(readHomes(homes, { ...manifest, homes: of })), archipelago.network)
}

const keyOf = (data: string) => join(data, 'ams3', 'functions', 'lobby', 'signing', 'member.nk')

test('what was lost is as it was, with its modes', (t) => {
  const homes = makeHomes(t)
  homes.bootstrap()
  const before = contents(homes.data)
  const backup = backUp(homes)
  rmSync(homes.data, { recursive: true })
  const restored = restoreHomes(homes.data, backup)
  t.deepEqual(contents(homes.data), before)
  t.true(restored.every(({ isChanged }) => isChanged))
  const files = openFiles()
  homes.bootstrap({}, { files })
  t.deepEqual(files.changes, [])
})

test('restored again, nothing is touched', (t) => {
  const homes = makeHomes(t)
  homes.bootstrap()
  const before = snapshot(homes.data)
  const restored = restoreHomes(homes.data, backUp(homes))
  t.deepEqual(snapshot(homes.data), before)
  t.false(restored.some(({ isChanged }) => isChanged))
})

test('a dry run says what would be restored, and touches nothing', (t) => {
  const homes = makeHomes(t)
  homes.bootstrap()
  const backup = backUp(homes)
  rmSync(join(homes.data, 'ams3'), { recursive: true })
  const before = snapshot(homes.data)
  const planned = restoreHomes(homes.data, backup, { isDryRun: true })
  t.deepEqual(snapshot(homes.data), before)
  t.deepEqual(
    planned.filter(({ isChanged }) => isChanged),
    [{ home: 'ams3', isChanged: true }],
  )
})

test('one home is restored, and the others are left alone', (t) => {
  const homes = makeHomes(t)
  homes.bootstrap()
  const before = contents(homes.data)
  const backup = backUp(homes, ['ams3'])
  rmSync(join(homes.data, 'ams3'), { recursive: true })
  const others = snapshot(join(homes.data, 'sfo2'))
  restoreHomes(homes.data, backup)
  t.deepEqual(contents(homes.data), before)
  t.deepEqual(snapshot(join(homes.data, 'sfo2')), others)
})

test('logs, servers and configurations are left out', (t) => {
  const homes = makeHomes(t)
  homes.bootstrap()
  const region = join(homes.data, 'ams3')
  mkdirSync(join(region, 'servers', '0'), { recursive: true })
  for (const path of [
    'servers/0/account.jwt',
    'leafnode/nats.conf',
    'leafnode/nats.log',
    'a.log.1',
  ])
    writeFileSync(join(region, path), '')
  const paths = backUp(homes).files.map(({ path }) => path)
  t.false(paths.some((path) => /servers|nats\.conf|\.log/.test(path)))
  t.true(paths.includes('ams3/leafnode/signing/leafnode.nk'))
  t.true(paths.includes('public/deny-list.jwt'))
})

test('a lost key comes back beside what is there', (t) => {
  const homes = makeHomes(t)
  homes.bootstrap()
  const before = contents(homes.data)
  const backup = backUp(homes)
  rmSync(keyOf(homes.data))
  restoreHomes(homes.data, backup)
  t.deepEqual(contents(homes.data), before)
})

for (const [what, spoil] of [
  ['another key', (path: string) => writeFileSync(path, pairOf('account', 'other').seed)],
  [
    'a key that was made since',
    (path: string) => writeFileSync(`${path.slice(0, -3)}.next.nk`, 'a'),
  ],
] as const) {
  test(`${what} is not overwritten, and nothing else is changed`, (t) => {
    const homes = makeHomes(t)
    homes.bootstrap()
    const backup = backUp(homes)
    spoil(keyOf(homes.data))
    rmSync(join(homes.data, 'sfo2'), { recursive: true })
    const before = snapshot(homes.data)
    t.throws(() => restoreHomes(homes.data, backup), {
      code: 'ERR_KEY_OTHER',
      message: /^another key is here than in the backup: .*\/signing\/member(\.next)?\.nk$/,
    })
    t.deepEqual(snapshot(homes.data), before)
  })

  test(`by force ${what} is put aside, where its owner finds it`, (t) => {
    const homes = makeHomes(t)
    homes.bootstrap()
    const before = contents(join(homes.data, 'ams3'))
    const backup = backUp(homes)
    spoil(keyOf(homes.data))
    const spoilt = contents(join(homes.data, 'ams3'))
    const [, ams3] = restoreHomes(homes.data, backup, { isForced: true })
    t.deepEqual(contents(join(homes.data, 'ams3')), before)
    t.deepEqual(contents(ams3?.replaced ?? ''), spoilt)
  })
}

for (const isForced of [false, true])
  test(`signed state does not go back${isForced ? ', not even by force' : ''}`, (t) => {
    const homes = makeHomes(t)
    homes.bootstrap()
    const backup = backUp(homes)
    const changed = parseArchipelago(edited('connectionsMax: 10000', 'connectionsMax: 7'), file)
    homes.bootstrap({}, { archipelago: changed, files: openFiles() })
    const before = contents(homes.data)
    restoreHomes(homes.data, backup, { isForced })
    t.deepEqual(contents(homes.data), before)
  })

test('with the store lost and git at hand, the newest accounts are signed on', (t) => {
  const homes = makeHomes(t)
  homes.bootstrap()
  const backup = backUp(homes)
  const changed = parseArchipelago(edited('connectionsMax: 10000', 'connectionsMax: 7'), file)
  homes.bootstrap({}, { archipelago: changed, files: openFiles() })
  const published = publicFiles.account(homes.homes.public, 'KUBECON')
  const newest = readFileSync(published, 'utf8')
  rmSync(homes.homes.operator, { recursive: true })
  restoreHomes(homes.data, backup)
  homes.bootstrap({}, { archipelago: changed, files: openFiles() })
  t.is(readFileSync(published, 'utf8'), newest)
})

test('a restore that was cut off between its renames is finished by the next', (t) => {
  const homes = makeHomes(t)
  homes.bootstrap()
  const backup = backUp(homes)
  writeFileSync(join(homes.data, 'ams3', 'made-since.json'), '{}', { mode: 0o600 })
  const before = contents(homes.data)
  const region = join(homes.data, 'ams3')
  renameSync(region, `${region}.before-restore`)
  mkdirSync(`${region}.restoring`)
  writeFileSync(join(`${region}.restoring`, 'half'), '')
  rmSync(join(homes.data, 'sfo2'), { recursive: true })
  restoreHomes(homes.data, backup)
  t.deepEqual(contents(homes.data), before)
})

test('homes that are not here are not backed up', (t) => {
  const { homes, options, data, bootstrap } = makeHomes(t)
  const place = { ...options, files: openFiles() }
  t.throws(() => findHomes(place), {
    code: 'ERR_STORE_UNREADABLE',
    message: `no home of anything in ${data}`,
  })
  bootstrap({ homes: ['ams3'] })
  t.deepEqual(findHomes(place), ['ams3'])
  t.throws(() => findHomes(place, ['ams3', 'operator']), {
    message: `no home of operator in ${homes.data}`,
  })
  t.throws(() => findHomes(place, ['../ams3']), { message: `no home of ../ams3 in ${homes.data}` })
})

const entry = (path: string, content: unknown) => ({
  path,
  content: Buffer.from(JSON.stringify(content)),
})
for (const [what, files, code, message] of [
  ['nothing', [], 'ERR_BACKUP_ILLEGAL', 'illegal backup: it does not say what it is'],
  [
    'another archive',
    [entry('a', 1)],
    'ERR_BACKUP_ILLEGAL',
    'illegal backup: it does not say what it is',
  ],
  [
    'another version',
    [entry('backup.json', { ...manifest, version: 2 })],
    'ERR_BACKUP_ILLEGAL',
    'illegal backup: it is of an unknown kind',
  ],
  [
    'a home outside',
    [entry('backup.json', { ...manifest, homes: ['..'] })],
    'ERR_BACKUP_ILLEGAL',
    'illegal backup: it is of an unknown kind',
  ],
  [
    'another network',
    [entry('backup.json', { ...manifest, network: 'atoll' })],
    'ERR_BACKUP_OTHER',
    'backup is of another network: atoll',
  ],
  [
    'a file outside',
    [entry('backup.json', { ...manifest, homes: ['ams3'] }), entry('sfo2/a.nk', '')],
    'ERR_BACKUP_ILLEGAL',
    'illegal backup: a file outside of its homes: sfo2/a.nk',
  ],
] as const)
  test(`a backup with ${what} is refused`, (t) => {
    t.throws(() => unpackBackup(packTar(files), archipelago.network), { code, message })
  })

test('what was encrypted comes back, and each try of a passphrase is work', async (t) => {
  const secret = Buffer.from('seed')
  const encrypted = await encrypt(secret, 'correct horse battery')
  t.regex(
    Buffer.from(encrypted).toString('latin1'),
    /^age-encryption\.org\/v1\n-> scrypt [\w+/]{22} 18\n/,
  )
  t.deepEqual(Buffer.from(await decrypt(encrypted, 'correct horse battery')), secret)
})

test('what was encrypted does not come back with another passphrase, or changed', async (t) => {
  const encrypted = await encrypt(Buffer.from('seed'), 'correct horse battery', { logN: 10 })
  await t.throwsAsync(decrypt(encrypted, 'wrong horse battery'), {
    code: 'ERR_PASSPHRASE_WRONG',
    message: 'wrong passphrase',
  })
  const changed = Buffer.from(encrypted)
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1
  for (const spoilt of [changed, encrypted.subarray(0, 30), Buffer.of()])
    await t.throwsAsync(decrypt(spoilt, 'correct horse battery'), {
      code: 'ERR_BACKUP_ILLEGAL',
      message: /^not a whole age file: /,
    })
})
