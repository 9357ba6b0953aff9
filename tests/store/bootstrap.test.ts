import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { parseArchipelago } from '../../core/archipelago.ts'
import { parseAccount } from '../../core/trust/account.ts'
import { formatRegionKeys } from '../../core/trust/region-keys.ts'
import { bootstrapAll, readRegionKeys } from '../../store/bootstrap.ts'
import { openFiles } from '../../store/files.ts'
import { regionHome } from '../../store/homes.ts'
import { publicFiles, readPublicTrust } from '../../store/public.ts'
import { regionKeysFile } from '../../store/region.ts'
import { edited, file } from '../core/archipelago/example.ts'
import { archipelago, nowSeconds, regionKeysOf } from '../core/trust/example.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { makeHomes, requireOperator, snapshot } from './home.ts'

const names = ['ams3', 'sfo2', 'sgp1']

test('everything is made at once, closed to others, and leads to the operator', (t) => {
  const { homes, data, bootstrap } = makeHomes(t)
  const { accounts, operator } = requireOperator(bootstrap())
  const { accounts: published } = readPublicTrust(homes.public, [
    'SYS',
    'ACCESS',
    'LOBBY',
    'KUBECON',
  ])
  t.deepEqual(
    published.map(({ text }) => text),
    accounts.map(({ text }) => text),
  )
  for (const { text } of published) t.notThrows(() => parseAccount(text, operator))
  for (const [path, state] of snapshot(data)) {
    const [mode] = state.split(' ')
    t.is(Number(mode) & 0o777, state.endsWith('folder') ? 0o700 : 0o600, path)
  }
})

test('run again, not a byte and not a time is changed', (t) => {
  const { data, bootstrap } = makeHomes(t)
  bootstrap()
  const before = snapshot(data)
  const files = openFiles()
  bootstrap({}, { files, nowSeconds: nowSeconds + 3600 })
  t.deepEqual(snapshot(data), before)
  t.deepEqual(files.changes, [])
})

test('a dry run says what would be made, and makes nothing', (t) => {
  const { data, bootstrap } = makeHomes(t)
  const files = openFiles({ isDryRun: true })
  bootstrap({}, { files })
  t.false(existsSync(data))
  bootstrap()
  const made = [...snapshot(data)].filter(([, state]) => !state.endsWith('folder'))
  t.is(files.changes.length, made.length)
})

test('no seed lies anywhere but in a key file or a creds file of its own home', (t) => {
  const { data, bootstrap } = makeHomes(t)
  bootstrap()
  const withSeeds = [...snapshot(data)].filter(([, state]) => /\bS[OAUN][A-Z2-7]{56}\b/.test(state))
  t.true(withSeeds.length > 20)
  for (const [path] of withSeeds) t.regex(path, /^(operator|ams3|sfo2|sgp1)\/.*\.(nk|creds)$/)
})

test('an edit changes the accounts that it concerns, and no key', (t) => {
  const { data, bootstrap, options } = makeHomes(t)
  bootstrap()
  const keysBefore = [...snapshot(data)].filter(([path]) => path.endsWith('.nk'))
  const files = openFiles()
  const changed = parseArchipelago(edited('connectionsMax: 10000', 'connectionsMax: 7'), file)
  const { accounts } = requireOperator(bootstrap({}, { ...options, files, archipelago: changed }))
  t.deepEqual(
    files.changes.map(({ path }) => path.split('/').at(-1)),
    ['KUBECON.jwt', 'KUBECON.jwt', 'configuration.jwt'],
  )
  const kubecon = accounts.find(({ claims }) => claims.name === 'KUBECON')
  t.is(kubecon?.claims.nats.limits.conn, 7)
  t.is(kubecon?.claims.iat, nowSeconds + 1, 'rises within the same second')
  t.deepEqual(
    [...snapshot(data)].filter(([path]) => path.endsWith('.nk')),
    keysBefore,
  )
})

test("a region's home has its own keys and nobody else's", (t) => {
  const { data, bootstrap } = makeHomes(t)
  const { operator, regions } = bootstrap({ homes: ['ams3'] })
  t.is(operator, undefined)
  t.deepEqual(readdirSync(data), ['ams3'])
  t.deepEqual(
    regions.map(({ home }) => home),
    ['here', 'unknown', 'unknown'],
  )
})

test('the operator adopts public keys that were born elsewhere', (t) => {
  const there = makeHomes(t)
  const here = makeHomes(t)
  there.bootstrap({ homes: names })
  const adopted = names.map((name) => readRegionKeys(regionKeysFile(there.homes, name)))
  const { regions, operator } = here.bootstrap({ homes: ['operator'], adopted })
  t.deepEqual(
    regions.map(({ home }) => home),
    ['elsewhere', 'elsewhere', 'elsewhere'],
  )
  t.deepEqual(readdirSync(here.data), ['operator', 'public'])
  const published = (operator?.accounts ?? []).flatMap(({ claims }) => claims.nats.signing_keys)
  for (const { leafnode } of adopted) t.true(published.some(({ key }) => key === leafnode[0]))
})

test('what was adopted once is known, and never made anew', (t) => {
  const { data, bootstrap } = makeHomes(t)
  const adopted = names.map((name) => regionKeysOf(name))
  bootstrap({ adopted })
  const before = snapshot(data)
  bootstrap({}, { files: openFiles() })
  t.deepEqual(snapshot(data), before)
  t.deepEqual(readdirSync(data), ['operator', 'public'])
})

test('on the machine of a region, with what git carries, only that region is at home', (t) => {
  const operator = makeHomes(t)
  const region = makeHomes(t)
  region.bootstrap({ homes: ['ams3'] })
  const adopted = [
    readRegionKeys(regionKeysFile(region.homes, 'ams3')),
    regionKeysOf('sfo2'),
    regionKeysOf('sgp1'),
  ]
  operator.bootstrap({ adopted })
  for (const [path, text] of readPublic(operator.homes.public))
    openFiles().write(join(region.homes.public, path), text)
  const files = openFiles()
  const { operator: here, regions } = region.bootstrap({}, { files })
  t.is(here, undefined)
  t.deepEqual(
    regions.map(({ home }) => home),
    ['here', 'elsewhere', 'elsewhere'],
  )
  t.deepEqual(files.changes, [])
})

const readPublic = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      return [path.slice(folder.length + 1), readFileSync(path, 'utf8')] as const
    })

test('git may be ahead of the store: what was revoked meanwhile stays revoked', (t) => {
  const { homes, bootstrap } = makeHomes(t)
  const older = requireOperator(bootstrap())
  const stored = join(older.store.stores, archipelago.network, 'accounts', 'KUBECON', 'KUBECON.jwt')
  const old = readFileSync(stored, 'utf8')
  const changed = parseArchipelago(edited('connectionsMax: 10000', 'connectionsMax: 7'), file)
  bootstrap({}, { archipelago: changed })
  const newer = readFileSync(publicFiles.account(homes.public, 'KUBECON'), 'utf8')
  writeFileSync(stored, old)
  bootstrap({}, { archipelago: changed, files: openFiles() })
  t.is(readFileSync(stored, 'utf8'), newer)
})

test('what the laptop makes is the same as what the command makes', (t) => {
  const { data, bootstrap, options } = makeHomes(t)
  bootstrap()
  const before = snapshot(data)
  bootstrapAll({ ...options, files: openFiles() })
  t.deepEqual(snapshot(data), before)
})

for (const [what, homes, code, message] of [
  [
    'an unknown home',
    ['ams4'],
    'ERR_REGION_UNKNOWN',
    "unknown home: 'ams4' (operator, ams3, sfo2, sgp1)",
  ],
  [
    'a home of a region that was adopted',
    ['ams3'],
    'ERR_HOME_ELSEWHERE',
    'the home of ams3 is elsewhere: it is published',
  ],
] as const)
  test(`${what} is refused`, (t) => {
    const { bootstrap } = makeHomes(t)
    bootstrap({ adopted: [regionKeysOf('ams3')] })
    t.throws(() => bootstrap({ homes: [...homes] }), { code, message })
  })

test('an operator who is published elsewhere is not made a second time', (t) => {
  const { homes, bootstrap } = makeHomes(t)
  bootstrap()
  rmSync(homes.operator, { recursive: true })
  t.throws(() => bootstrap({ homes: ['operator'] }), {
    code: 'ERR_HOME_ELSEWHERE',
    message: 'the home of operator is elsewhere: it is published',
  })
  t.is(bootstrap().operator, undefined)
})

test('a machine without any home is told so', (t) => {
  const { homes, data, bootstrap } = makeHomes(t)
  bootstrap()
  for (const folder of [homes.operator, ...names.map((name) => regionHome(homes, name))])
    rmSync(folder, { recursive: true })
  t.throws(() => bootstrap(), {
    code: 'ERR_HOME_ELSEWHERE',
    message: `every home of this network is elsewhere than ${data}`,
  })
})

test('a network of another name does not take the place of this one', (t) => {
  const { bootstrap } = makeHomes(t)
  bootstrap()
  const renamed = parseArchipelago(edited('network: archipelago', 'network: atoll'), file)
  t.throws(() => bootstrap({ homes: ['operator'] }, { archipelago: renamed }), {
    code: 'ERR_HOME_ELSEWHERE',
  })
})

test('keys of a region that is at home here, or not known, are not adopted', (t) => {
  const { bootstrap } = makeHomes(t)
  bootstrap()
  t.throws(() => bootstrap({ adopted: [regionKeysOf('ams3')] }), {
    code: 'ERR_HOME_HERE',
    message: 'region ams3 has its home here: nothing to adopt',
  })
  t.throws(() => bootstrap({ adopted: [regionKeysOf('ams4')] }), {
    code: 'ERR_REGION_UNKNOWN',
    message: "unknown region: 'ams4' (ams3, sfo2, sgp1)",
  })
})

test('keys that have another place are not adopted, nor by another home than the operator', (t) => {
  const { bootstrap } = makeHomes(t)
  bootstrap({ adopted: [regionKeysOf('ams3')] })
  const stolen = { ...regionKeysOf('sfo2'), leafnode: regionKeysOf('ams3').leafnode }
  t.throws(() => bootstrap({ homes: ['operator'], adopted: [stolen] }), {
    code: 'ERR_REGION_KEYS_TAKEN',
    message: `region sfo2: key of leafnode.sfo2 is already that of leafnode.ams3: ${stolen.leafnode[0]}`,
  })
  t.throws(() => bootstrap({ homes: ['sgp1'], adopted: [regionKeysOf('sfo2')] }), {
    code: 'ERR_HOME_ELSEWHERE',
    message: 'only the operator adopts: its home is not wanted here',
  })
})

test("a file that is not a region's keys is refused, and one that is not there", (t) => {
  const path = join(temporaryFolder(t), 'public.json')
  t.throws(() => readRegionKeys(path), {
    code: 'ERR_STORE_UNREADABLE',
    message: `no region's public keys at ${path}`,
  })
  writeFileSync(path, formatRegionKeys({ ...regionKeysOf('ams3'), leafnode: [] }))
  t.throws(() => readRegionKeys(path), { code: 'ERR_REGION_KEYS_ILLEGAL' })
})

test('a spoilt key file is named, and its seed is not', (t) => {
  const { homes, bootstrap } = makeHomes(t)
  bootstrap()
  const path = join(regionHome(homes, 'ams3'), 'leafnode', 'user.nk')
  const seed = readFileSync(path, 'utf8').trim()
  writeFileSync(path, `${seed.slice(0, -1)}\n`)
  t.throws(() => bootstrap({}, { files: openFiles() }), {
    code: 'ERR_SEED_ILLEGAL',
    message: `${path}: illegal user seed: 57 characters`,
  })
})
