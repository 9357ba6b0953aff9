// A thief has the key of an authority of ams3. The region has a new one, and the operator withdraws the old
// one: who shows a certificate of it then. Listeners are asked without pins, which know no new key at all.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { formatCertificates, type Certificate } from '../../core/identity/certificate.ts'
import { issueLeaf, type Issuer } from '../../core/identity/issue.ts'
import { regionDomain } from '../../core/identity/names.ts'
import { parseSpiffeId } from '../../core/identity/spiffe-id.ts'
import { verifySvid } from '../../core/identity/svid.ts'
import { formatConfiguration } from '../../core/network/configuration.ts'
import { openAudit } from '../../functions/provisioning/audit.ts'
import { openMtls } from '../../functions/provisioning/open-mtls.ts'
import { startWork } from '../../functions/provisioning/work.ts'
import { planNetwork, writePlan } from '../../laptop/configurations.ts'
import { runDirectory } from '../../laptop/layout.ts'
import { readLoaded } from '../../laptop/monitor.ts'
import { superviseProcesses } from '../../laptop/supervisor.ts'
import {
  bundleMapFile,
  intermediatesFile,
  readIntermediates,
  readRoots,
  rootsFile,
} from '../../store/authority-files.ts'
import { formatPrivateKey } from '../../store/authority-keys.ts'
import { readBundles } from '../../store/bundles.ts'
import { openFiles, writePrivate } from '../../store/files.ts'
import { homesOf } from '../../store/homes.ts'
import { readSigning } from '../../store/intermediate.ts'
import { adoptNext, publishNext } from '../../store/roll-intermediate.ts'
import { readRoot } from '../../store/root.ts'
import { sha256Of } from '../../store/withdraw-authority.ts'
import { askHttp } from '../functions/ask.ts'
import { hearListener } from '../hear-listener.ts'
import { makeBareNetwork } from '../laptop/bare-network.ts'
import { runScript } from '../run-script.ts'
import { until } from '../until.ts'

const network = await makeBareNetwork({ regions: 2, servers: 1 })
const { data, archipelago, options } = network
test.after.always(() => network[Symbol.asyncDispose]())
const homes = homesOf(data)
const nowMs = Date.now()
const store = { files: openFiles(), homes, archipelago, nowMs }
const ams3 = { region: 'ams3', kind: 'identity', placement: 'laptop' } as const
const domain = regionDomain(archipelago, 'ams3')

let [stolen, next, ca] = [] as unknown as [Issuer, Issuer, string]
test.before(async () => {
  await planNetwork(data, options)
  stolen = readSigning(store, ams3) as Issuer
  await publishNext(store, ams3, () => readRoot(store, 'identity'))
  adoptNext(store, ams3)
  next = readSigning(store, ams3) as Issuer
  ca = formatCertificates(readRoots(store.files, homes, 'identity'))
})

interface Shown {
  readonly chain: readonly Certificate[]
  readonly cert: string
  readonly key: string
}

async function mint(issuer: Issuer, path: string): Promise<Shown> {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const id = parseSpiffeId(`spiffe://${domain}/${path}`)
  const profile = { id, dns: [], ips: ['127.0.0.1'] }
  const leaf = await issueLeaf(pair.publicKey, profile, {
    ...{ issuer, commonName: path, nowMs, lifetimeSeconds: 3600, serial: randomBytes(16) },
  })
  const chain = [leaf, issuer.certificate]
  return { chain, cert: formatCertificates(chain), key: formatPrivateKey(pair.privateKey) }
}

const listeners = ['route', 'gateway', 'leafnode', 'workload'] as const

/** A server with the authorities that are published now, asked by a certificate at each of its listeners. */
async function heardBy(shown: Shown): Promise<string[]> {
  const plan = await planNetwork(data, options)
  writePlan(data, plan)
  const planned = plan.servers.find(({ name }) => name === 'ams3-0')
  const server = plan.regions.find(({ name }) => name === 'ams3')?.servers[0]
  if (planned === undefined || server === undefined) throw new Error('no server')
  const unpinned = ['cluster', 'leafnodes', 'gateway', 'websocket'].map((block) => {
    const value = Object(planned.configuration[block])
    const { pinned_certs: _, ...tls } = value.tls
    return [block, { ...value, tls }] as const
  })
  const configuration = { ...planned.configuration, ...Object.fromEntries(unpinned) }
  writePrivate(planned.file, formatConfiguration(configuration, 'without pins'))
  await using supervisor = superviseProcesses({
    runDirectory: runDirectory(data),
    onExit: () => {},
  })
  const { name, file, log, monitor } = planned
  supervisor.start({ name, log, command: options.natsServer, args: ['-c', file], mark: file })
  await until('the server runs', () => readLoaded(monitor))
  const own = formatCertificates([stolen.certificate, next.certificate])
  const hear = (listener: (typeof listeners)[number]) =>
    hearListener(server[listener], own, { ...shown, asks: listener === 'workload' })
  return await Promise.all(listeners.map(hear))
}

const verify = ({ chain }: Shown) =>
  verifySvid(
    chain.map(({ der }) => der),
    { bundles: readBundles(store.files, homes), nowMs },
  )

/** A function's listener for workloads, and what it answers to who shows that. */
async function openFunction(reported: string[]) {
  const { cert: certificate, key } = await mint(next, 'function/identity')
  const files = {
    bundleMap: bundleMapFile(homes.public),
    roots: rootsFile(homes.public, 'identity'),
  }
  const audit = openAudit({ region: 'ams3', door: 'lobby' }, () => {})
  const work = startWork(() => ({ isGranted: true, body: '{}' }), { door: 'lobby', audit })
  const report = (line: string) => void reported.push(line)
  return openMtls(
    { host: '127.0.0.1', port: 0, files },
    { certificate, key },
    { ...{ door: 'lobby', work, audit, report }, problem: () => undefined, nowMs: Date.now },
  )
}
const ask = async ({ port }: { port: number }, { cert, key }: Shown) => {
  const url = `https://127.0.0.1:${port}/`
  return (await askHttp(url, { ca, cert, key, body: Buffer.from('{}') })).status
}

const withdraw = (...more: string[]) =>
  runScript('withdraw-authority', [
    ...['--archipelago', join(import.meta.dirname, '../../archipelago.yaml')],
    ...['--data-dir', data, '--region', 'ams3', '--kind', 'identity', ...more],
  ])
const published = () => readIntermediates(store.files, homes, ams3)
const sequence = () => readBundles(store.files, homes).get(domain)?.sequence ?? 0

test.serial(
  'who holds the old authority is refused when it is withdrawn, also after a revert',
  async (t) => {
    const reported: string[] = []
    await using listener = await openFunction(reported)
    const thief = await mint(stolen, 'nats/server-0')
    const genuine = await mint(next, 'nats/server-0')
    for (const shown of [thief, genuine]) {
      for (const heard of await heardBy(shown)) t.regex(heard, /^(INFO |HTTP\/1\.1 400 )/)
      t.notThrows(() => verify(shown))
      t.is(await ask(listener, shown), 200)
    }
    const [before, path] = [sequence(), intermediatesFile(homes.public, 'identity', 'ams3')]
    const carried = [path, bundleMapFile(homes.public)].map(
      (file) => [file, readFileSync(file)] as const,
    )

    const dry = await withdraw('--dry-run')
    t.regex(dry.stdout, /^would be withdrawn: sha256 [0-9a-f]{64}, until .+\nleft: sha256 /)
    t.is(published().length, 2)
    const ran = await withdraw()
    t.is(ran.code, 0, ran.stderr)
    t.true(ran.stdout.startsWith(`withdrawn: sha256 ${sha256Of(stolen.certificate)}, until `))
    t.regex(ran.stdout, /^next: restart the servers one after the other/m)
    t.deepEqual(published().map(sha256Of), [sha256Of(next.certificate)])
    t.true(sequence() > before)

    const isRefused = async (): Promise<void> => {
      t.deepEqual(await heardBy(thief), ['', '', '', ''])
      t.throws(() => verify(thief), { code: 'ERR_CHAIN_UNTRUSTED' })
      for (const heard of await heardBy(genuine)) t.regex(heard, /^(INFO |HTTP\/1\.1 400 )/)
      await until('the function has seen it', async () => (await ask(listener, thief)) === 401)
      t.is(await ask(listener, genuine), 200)
    }
    await isRefused()
    for (const [file, content] of carried) writeFileSync(file, content)
    t.is(published().length, 2)
    await until('the function has seen the revert', () => reported.length > 0)
    t.is(await ask(listener, genuine), 200)
    const again = await withdraw('--json')
    t.like(JSON.parse(again.stdout), { gone: [] })
    t.is(published().length, 1)
    await isRefused()
  },
)

test.serial('the only authority of a region goes by consent alone', async (t) => {
  const digest = sha256Of(next.certificate)
  const asked = await withdraw('--sha256', digest)
  t.is(asked.code, 1)
  t.regex(
    asked.stderr,
    /^withdraw-authority: no identity authority of ams3 is left\ndo: replace it first/,
  )
  t.is(published().length, 1)
  const unknown = await withdraw('--sha256', sha256Of(stolen.certificate), '--yes')
  t.regex(unknown.stderr, /^withdraw-authority: no identity authority of ams3 with that digest/)
  const agreed = await withdraw('--sha256', digest, '--yes', '--json')
  t.like(JSON.parse(agreed.stdout), { left: [], harm: 'no identity authority of ams3 is left' })
  t.false(readBundles(store.files, homes).has(domain))
  t.is(readSigning(store, ams3), undefined)
})

test.serial(
  'where neither home is here nothing would remember it, and it is refused',
  async (t) => {
    const other = `${data}-copy`
    t.teardown(() => rmSync(other, { recursive: true, force: true }))
    mkdirSync(other, { mode: 0o700 })
    cpSync(homes.public, join(other, 'public'), { recursive: true })
    const ran = await runScript('withdraw-authority', [
      ...['--archipelago', join(import.meta.dirname, '../../archipelago.yaml')],
      ...['--data-dir', other, '--region', 'sfo2', '--kind', 'identity'],
    ])
    t.regex(ran.stderr, /^withdraw-authority: neither sfo2's home nor the operator's is here\n/)
  },
)
