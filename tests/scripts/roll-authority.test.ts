// Rollovers of a whole network, by the command that people use, with functions that answer throughout.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { parseNetworkFile } from '../../core/access/network-file.ts'
import { parseCertificates } from '../../core/identity/certificate.ts'
import type { Rolled } from '../../laptop/network/roll-network.ts'
import { readRoots, rootKeyFile } from '../../store/authority-files.ts'
import { openFiles } from '../../store/files.ts'
import { askAgainAndAgain, join as joinNetwork, post } from '../faults/soak-traffic.ts'
import { runScript } from '../run-script.ts'
import { startTestNetwork, type TestNetwork } from '../test-network.ts'
import { until } from '../until.ts'

let network: TestNetwork
test.before(async () => {
  network = await startTestNetwork((yaml) =>
    yaml.replaceAll(/( +)addresses: .*\n/g, '$&$1servers: 1\n'),
  )
})
test.after.always(() => network?.[Symbol.asyncDispose]())

const place = () => [
  ...['--archipelago', network.archipelagoFile],
  ...['--data-dir', join(network.folder, 'data')],
]
const roll = (...options: string[]) => runScript('roll-authority', [...place(), ...options])
const parse = ({ stdout }: { stdout: string }) => JSON.parse(stdout) as Rolled

const pids = () => [...network.supercluster.pids(), ...network.functions.pids()]
const rootsOfNewcomers = () => {
  const { file } = parseNetworkFile(readFileSync(network.networkFile, 'utf8'))
  return parseCertificates(file.ca).map(({ serial }) => serial)
}

test.serial('a region’s authority is replaced while everybody works', async (t) => {
  const before = pids()
  const known = parse(await roll('--region', 'ams3', '--kind', 'identity', '--dry-run', '--json'))
  const ran = await roll('--region', 'ams3', '--kind', 'identity', '--json')
  t.is(ran.code, 0, ran.stderr)
  const { stage, authorities } = parse(ran)
  t.is(stage, 'steady')
  t.is(authorities[0]?.serials.length, 1)
  t.notDeepEqual(authorities, known.authorities)
  t.deepEqual(pids(), before)
  t.is((await network.requestFrom('ams3')).region, 'ams3')
})

test.serial('who looks at the network finds the links from before it', async (t) => {
  const { code, stdout } = await runScript('verify-supercluster', place())
  t.is(code, 1)
  t.regex(stdout, /^identities: \d+ misfits$/m)
  t.regex(
    stdout,
    /gateway sfo2-0 – ams3-0: since \S+, before any authority of ams3 that is trusted \(ERR_LINK_OLD\)/,
  )
})

test.serial('restart-links makes them anew, and nothing is found any more', async (t) => {
  const before = network.supercluster.pids()
  const ran = await runScript('restart-links', place())
  t.is(ran.code, 0, ran.stderr)
  for (const [name, pid] of network.supercluster.pids()) t.not(before.get(name), pid, name)
  const { code, stdout } = await runScript('verify-supercluster', place())
  t.is(code, 0, stdout)
})

test.serial('the identity root is replaced, and functions of every region answer', async (t) => {
  const before = pids()
  const ran = await roll('--root', '--kind', 'identity')
  t.is(ran.code, 0, ran.stderr)
  t.regex(ran.stdout, /^root: [0-9a-f]+\nams3: [0-9a-f]+\nsfo2: /)
  t.deepEqual(pids(), before)
  await t.notThrowsAsync(network.supercluster.awaitMesh(5000))
})

const passphraseFile = (name: string, passphrase: string): string => {
  const path = join(network.folder, name)
  writeFileSync(path, `${passphrase}\n`, { mode: 0o600 })
  return path
}
const sealed = () => passphraseFile('passphrase', 'correct horse battery')
const rootKey = () => rootKeyFile(network.homes, 'identity')
const rollIdentityRoot = (...options: string[]) =>
  roll('--root', '--kind', 'identity', '--json', ...options)
const identityRoots = () =>
  readRoots(openFiles(), network.homes, 'identity').map(({ serial }) => serial)

/** Members of all regions post and hear, and newcomers ask: runs `act` meanwhile. */
async function underTraffic(t: ExecutionContext, act: () => Promise<void>): Promise<void> {
  const regions = network.archipelago.regions.map(({ name }) => name)
  const members = await Promise.all(regions.map((region) => joinNetwork(network, region)))
  const subjects = regions.map((region) => `chat.KUBECON.posts.member-${region}`)
  await until('interest has spread', async () => {
    for (const [at, { connection }] of members.entries())
      connection.publish(subjects[at] ?? '', '-1')
    await Promise.all(members.map(({ connection }) => connection.flush()))
    return members.every(({ heard }) => subjects.every((subject) => heard.has(subject)))
  })
  const stop = new AbortController()
  const posted = members.map(({ connection }, at) =>
    post(subjects[at] ?? '', (...message) => connection.publish(...message), stop.signal),
  )
  const asked = regions.map((region) => askAgainAndAgain(network, region, stop.signal))
  await act().finally(() => stop.abort())
  const sent = new Map(await Promise.all(posted))
  for (const { failures, answered } of await Promise.all(asked)) {
    t.deepEqual(failures, [])
    t.true(answered > 0)
  }
  await until('the last messages', () =>
    members.every(({ heard }) =>
      [...sent].every(([subject, count]) => heard.get(subject)?.at(-1) === count - 1),
    ),
  )
  for (const { heard, losses, connection } of members) {
    for (const [subject, count] of sent)
      t.is(heard.get(subject)?.filter((number) => number >= 0).length, count)
    t.deepEqual(losses, [])
    await connection.close()
  }
}

test.serial(
  'a root’s key under a passphrase signs here alone, while everybody works',
  async (t) => {
    const before = pids()
    await underTraffic(t, async () => {
      for (const _ of ['the old one plain', 'the old one sealed']) {
        const old = identityRoots()
        const ran = await rollIdentityRoot('--passphrase-file', sealed())
        t.is(ran.code, 0, ran.stderr)
        t.is(parse(ran).stage, 'steady')
        t.is(identityRoots().length, 1)
        t.notDeepEqual(identityRoots(), old)
        t.regex(readFileSync(rootKey(), 'utf8'), /^-----BEGIN AGE ENCRYPTED FILE-----/)
      }
    })
    t.deepEqual(pids(), before)
  },
)

test.serial('with a wrong passphrase, or none, nothing is begun', async (t) => {
  const [before, key] = [identityRoots(), readFileSync(rootKey())]
  const wrong = passphraseFile('wrong', 'correct horse batterie')
  const refused = await rollIdentityRoot('--passphrase-file', wrong)
  t.regex(refused.stderr, /^roll-authority: .*passphrase.*\ndo: try again/)
  const none = await rollIdentityRoot()
  t.regex(none.stderr, /no passphrase: .*\ndo: name its file with --passphrase-file/)
  t.deepEqual(identityRoots(), before)
  t.deepEqual(readFileSync(rootKey()), key)
})

test.serial(
  'with a region away it stops, trusts both roots, and goes on when it is back',
  async (t) => {
    const [old] = identityRoots()
    network.supercluster.signal('sgp1-0', 'SIGSTOP')
    const stopped = await rollIdentityRoot('--passphrase-file', sealed())
    network.supercluster.signal('sgp1-0', 'SIGCONT')
    t.is(stopped.code, 1)
    t.regex(stopped.stderr, /no answer from sgp1-0\ndo: .+ then run it again: it goes on/)
    const [next, ...others] = identityRoots()
    t.deepEqual(others, [old])
    await network.supercluster.awaitMesh(30_000)
    const ran = await rollIdentityRoot('--passphrase-file', sealed())
    t.is(ran.code, 0, ran.stderr)
    t.deepEqual(identityRoots(), [next])
  },
)

test.serial('a root’s key that was handed elsewhere is followed there', async (t) => {
  const folder = join(network.folder, 'stick')
  const file = join(folder, `${network.archipelago.network}-identity-root.key`)
  mkdirSync(folder, { mode: 0o700 })
  renameSync(rootKey(), file)
  const missing = await rollIdentityRoot('--passphrase-file', sealed())
  t.regex(
    missing.stderr,
    /no key of the newest identity root at .+\ndo: name the folder .+ --key-dir/,
  )
  const [before, old] = [identityRoots(), readFileSync(file, 'utf8')]
  const ran = await rollIdentityRoot('--passphrase-file', sealed(), '--key-dir', folder)
  t.is(ran.code, 0, ran.stderr)
  t.notDeepEqual(identityRoots(), before)
  t.deepEqual(readdirSync(folder), [basename(file)])
  t.not(readFileSync(file, 'utf8'), old)
  t.false(existsSync(rootKey()))
})

test.serial('newcomers know both public roots before the next one is used', async (t) => {
  const [old] = rootsOfNewcomers()
  const published = await roll('--root', '--kind', 'public', '--publish', '--json')
  t.is(published.code, 0, published.stderr)
  t.is(parse(published).stage, 'published')
  t.is(rootsOfNewcomers().length, 2)
  t.true(rootsOfNewcomers().includes(old ?? ''))
  // Whoever has the file of before is still served.
  t.truthy(await network.request({ transport: 'https' }))
  const ran = await roll('--root', '--kind', 'public', '--json')
  t.is(ran.code, 0, ran.stderr)
  t.deepEqual(rootsOfNewcomers(), [...parse(ran).roots])
  t.false(rootsOfNewcomers().includes(old ?? ''))
})

for (const [what, options, message] of [
  ['neither region nor root', [], /name one region with --region, or --root/],
  ['both', ['--region', 'ams3', '--root'], /name one region with --region, or --root/],
  ['a region that is none', ['--region', 'ams4'], /unknown region: 'ams4' \(ams3, sfo2, sgp1\)/],
  ['a region that is only published', ['--region', 'ams3', '--publish'], /for --root alone/],
] as const)
  test.serial(`${what} is refused`, async (t) => {
    const { code, stderr } = await roll(...options, '--kind', 'identity')
    t.is(code, 1)
    t.regex(stderr, message)
  })

test.serial('restart-links says who would restart, and refuses an unknown server', async (t) => {
  const before = pids()
  const dry = await runScript('restart-links', [...place(), '--dry-run'])
  t.is(
    dry.stdout.split('\n')[0],
    `would restart ${[...network.supercluster.pids().keys()].toSorted().join(', ')}`,
  )
  const { code, stderr } = await runScript('restart-links', [...place(), '--new-key', 'ams3-9'])
  t.is(code, 1)
  t.regex(stderr, /unknown server: 'ams3-9'/)
  t.deepEqual(pids(), before)
})
