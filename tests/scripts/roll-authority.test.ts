// Rollovers of a whole network, by the command that people use, with functions that answer throughout.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { parseNetworkFile } from '../../core/access/network-file.ts'
import { parseCertificates } from '../../core/identity/certificate.ts'
import type { Rolled } from '../../laptop/network/roll-network.ts'
import { runScript } from '../run-script.ts'
import { startTestNetwork, type TestNetwork } from '../test-network.ts'

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

test.serial('the identity root is replaced, and functions of every region answer', async (t) => {
  const before = pids()
  const ran = await roll('--root', '--kind', 'identity')
  t.is(ran.code, 0, ran.stderr)
  t.regex(ran.stdout, /^root: [0-9a-f]+\nams3: [0-9a-f]+\nsfo2: /)
  t.deepEqual(pids(), before)
  await t.notThrowsAsync(network.supercluster.awaitMesh(5000))
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
