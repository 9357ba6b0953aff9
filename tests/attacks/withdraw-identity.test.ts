// Identities are stolen, certificates and all. Each thief is in before, is cut within 5 s, and stays out.
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import {
  formatCertificates,
  parseCertificate,
  parseCertificates,
  type Certificate,
} from '../../core/identity/certificate.ts'
import { requestCertificate } from '../../core/identity/csr.ts'
import type { Configuration } from '../../core/network/configuration.ts'
import { formatTokenAudience } from '../../core/access/token-audience.ts'
import type { DoorPlace, RegionPlace, ServerPlace } from '../../core/network/endpoint.ts'
import { identityPaths, leafnodePaths, serverPaths } from '../../laptop/layout.ts'
import { leafnodeTarget } from '../../laptop/identity/leafnode-target.ts'
import { connectWithCreds, connectWithNkey, type NatsConnection } from '../../nats/connect.ts'
import { askServers } from '../../nats/system.ts'
import { workloadTarget } from '../../nats/workload-target.ts'
import type { Credential } from '../../requestor/request-credential.ts'
import { formatPrivateKey, makeAuthorityKey } from '../../store/authority-keys.ts'
import { readBundles } from '../../store/bundles.ts'
import { openFiles } from '../../store/files.ts'
import { functionHome } from '../../store/homes.ts'
import { makeNkeyPair, requireKey } from '../../store/key-file.ts'
import { functionKeyFile } from '../../store/key-paths.ts'
import { recordSvid, signSvid } from '../../store/svid.ts'
import { ams3Cluster, mesh } from '../core/access/token-example.ts'
import { serviceAccountClaims } from '../core/access/token-issuer.ts'
import { resign } from '../core/identity/resign.ts'
import { nowSeconds } from '../functions/ask.ts'
import { exchangePatiently, startTokenNetwork } from '../functions/token-network.ts'
import { runScript } from '../run-script.ts'
import { startStopwatch } from '../stopwatch.ts'
import type { TestNetwork } from '../test-network.ts'
import { startTestServer } from '../test-server.ts'
import { until } from '../until.ts'
import { elsewhere, steal } from '../stolen-server.ts'
import { workloadUrls, type Svid } from '../workloads.ts'

let network: TestNetwork
let watching: AsyncDisposable
test.before(async () => {
  network = await startTokenNetwork()
  watching = network.watch(() => {})
})
test.after.always(async () => {
  await watching?.[Symbol.asyncDispose]()
  await network?.[Symbol.asyncDispose]()
})

const domain = 'archipelago.example'
const cutMsMax = 5_000
const ids = {
  orders: `spiffe://ams3.${domain}/workload/orders`,
  leafnode: `spiffe://sfo2.${domain}/nats/leafnode`,
  lobby: `spiffe://sgp1.${domain}/function/lobby`,
  server: `spiffe://sgp1.${domain}/nats/server-2`,
  meshed: 'spiffe://mesh.example/shop/orders',
}

const withdraw = (...args: string[]) =>
  runScript('withdraw-identity', [
    ...[...args, '--archipelago', network.archipelagoFile],
    ...['--data-dir', join(network.folder, 'data')],
  ])

/** Whether it came true while the command ran, and how many ms after its begin. */
async function withdrawUntil(
  t: ExecutionContext,
  id: string,
  what: string,
  isCut: () => boolean | Promise<boolean>,
): Promise<void> {
  const stop = startStopwatch()
  const ran = withdraw(id)
  await requireInTime(t, { what, isCut, stop })
  const { code, stdout, stderr } = await ran
  t.is(code, 0, stdout + stderr)
}

interface Cut {
  readonly what: string
  readonly isCut: () => boolean | Promise<boolean>
  readonly stop?: () => number
}

async function requireInTime(
  t: ExecutionContext,
  { what, isCut, stop = startStopwatch() }: Cut,
): Promise<void> {
  await until(what, isCut)
  const spentMs = stop()
  t.log(`${what}: ${Math.round(spentMs)} ms`)
  t.true(spentMs < cutMsMax, `${spentMs} ms`)
}

const placeOf = (name: string) =>
  network.supercluster.regions.find((region) => region.name === name) as RegionPlace

/** By the record, as issue-svid makes it. */
async function svidOf(workload: string): Promise<Svid> {
  const { archipelago, homes } = network
  const store = { files: openFiles(), homes, archipelago, nowMs: Date.now() }
  const { privateKey } = makeAuthorityKey()
  const place = { region: 'ams3', kind: 'identity', placement: 'laptop' } as const
  const request = requestCertificate(privateKey)
  const signed = await signSvid(store, place, { workload, request })
  recordSvid(store, 'ams3', signed)
  return { certificate: signed.chain, key: formatPrivateKey(privateKey) }
}

function withOtherSignature({ certificate, key }: Svid): Svid {
  const [leaf, ...issuers] = parseCertificates(certificate) as [Certificate, ...Certificate[]]
  const other = parseCertificate(resign(leaf.der))
  return { certificate: formatCertificates([other, ...issuers]), key }
}

/** The token says nothing of the certificate that the connection shows. */
function exchange(): Promise<Credential> {
  const pair = makeNkeyPair('user')
  const audience = formatTokenAudience('archipelago', pair.publicKey)
  const token = ams3Cluster.sign(serviceAccountClaims({ audience, nowSeconds: nowSeconds() }))
  return exchangePatiently({
    network: network.network,
    role: 'orders',
    token,
    pair,
    region: 'ams3',
  })
}

interface Live extends AsyncDisposable {
  readonly nc: NatsConnection
}
const live = (nc: NatsConnection): Live => ({ nc, [Symbol.asyncDispose]: () => nc.close() })

/** Does not try again. */
async function connectBy(svid: Svid, { creds }: Credential): Promise<Live> {
  const bundles = readBundles(openFiles(), network.homes)
  const servers = workloadUrls([placeOf('ams3')])
  const options = { reconnect: false }
  const target = workloadTarget({ ...svid, bundles }, { servers, name: 'test', options })
  return live(await connectWithCreds(target, () => creds))
}

test.serial('a workload is cut, whatever credential it came by; others stay', async (t) => {
  const [stolen, other] = [await svidOf('orders'), await svidOf('billing')]
  const credential = await exchange()
  await using thief = await connectBy(stolen, credential)
  await using bystander = await connectBy(other, await exchange())
  const dryRun = await withdraw(ids.orders, '--dry-run')
  t.regex(dryRun.stdout, new RegExp(`^would cut ${credential.creds.pair.publicKey} `))
  t.false(thief.nc.isClosed())
  await withdrawUntil(t, ids.orders, 'the workload is cut', () => thief.nc.isClosed())
  t.false(bystander.nc.isClosed())
  await t.throwsAsync(connectBy(stolen, credential), { code: 'ERR_CONNECT' })
  // Its server knows nothing of identities: the watcher does.
  await using again = await connectBy(stolen, await exchange())
  await requireInTime(t, { what: 'it is cut again', isCut: () => again.nc.isClosed() })
  // The same certificate to every verifier, and one that nobody has recorded.
  await using malleable = await connectBy(withOtherSignature(stolen), await exchange())
  await requireInTime(t, { what: 'its key is known', isCut: () => malleable.nc.isClosed() })
  t.false(bystander.nc.isClosed())
})

test.serial('no issuer makes it a certificate, and nobody is withdrawn by mistake', async (t) => {
  const message = `identity is withdrawn: ${ids.orders}`
  await t.throwsAsync(svidOf('orders'), { code: 'ERR_IDENTITY_WITHDRAWN', message })
  const unknown = await withdraw(`spiffe://fra1.${domain}/workload/orders`)
  t.is(unknown.code, 1)
  t.regex(unknown.stderr, /identity of no region here: 'spiffe:\/\/fra1\./)
  t.is((await withdraw('https://ams3.example')).code, 1)
})

test.serial('a subject of another trust domain is given nothing more', async (t) => {
  const ask = () => {
    const pair = makeNkeyPair('user')
    const aud = [formatTokenAudience('archipelago', pair.publicKey)]
    const token = mesh.sign({ sub: ids.meshed, aud, exp: nowSeconds() + 300 })
    return exchangePatiently({
      network: network.network,
      role: 'meshed',
      token,
      pair,
      region: 'sgp1',
    })
  }
  await t.notThrowsAsync(ask())
  t.is((await withdraw(ids.meshed)).code, 0)
  await t.throwsAsync(ask(), { code: 'ERR_IDENTITY_WITHDRAWN', message: /is withdrawn: / })
  const back = await withdraw(ids.meshed, '--reinstate')
  t.is(back.code, 0, back.stderr)
  await t.notThrowsAsync(ask())
})

function stealLeafnode(region: string): Configuration {
  const { leafnode } = placeOf(region)
  const { configuration, credentials } = leafnodePaths(network.homes.data, leafnode)
  const { certificate, key } = identityPaths(network.homes.data, leafnode)
  return elsewhere(
    network.folder,
    steal(network.folder, configuration, [certificate, key, credentials]),
  )
}

let stolenLeafnode: Configuration

async function leafnodes(): Promise<string[]> {
  const observer = await network.connectAs('observer', 'ams3')
  try {
    const answers = await askServers(observer, 'LEAFZ', { stallMs: 300 })
    return answers.flatMap(({ data }) => (data.leafs ?? []).map(({ name }) => name))
  } finally {
    await observer.close()
  }
}

test.serial('a leafnode is cut and stays out, also after its servers start anew', async (t) => {
  stolenLeafnode = stealLeafnode('sfo2')
  await using _thief = await startTestServer(stolenLeafnode)
  const isIn = async () => (await leafnodes()).includes('thief')
  await until('the thief is in', isIn)
  await withdrawUntil(t, ids.leafnode, 'the leafnode is cut', async () => !(await isIn()))
  t.false((await leafnodes()).includes('sfo2-leafnode'))
  for (const { name } of placeOf('sfo2').servers) {
    await network.supercluster.restart(name)
    await network.supercluster.awaitMesh(30_000)
    t.false(await isIn())
  }
  t.true((await leafnodes()).includes('ams3-leafnode'))
})

/** By the nkey and the certificate of a region's function. */
async function stealFunction(
  region: string,
  door: 'lobby' | 'invite',
): Promise<() => Promise<Live>> {
  const { archipelago, homes } = network
  const at = placeOf(region)
  const place = at.doors.find((each) => each.door === door) as DoorPlace
  const pair = requireKey(openFiles(), 'user', functionKeyFile(functionHome(homes, region, door)))
  const target = leafnodeTarget({ archipelago, homes, region: at, place })
  const options = { reconnect: false }
  return async () => live(await connectWithNkey({ ...target, name: 'thief', options }, pair))
}

test.serial('a function is cut by its leafnode server, its neighbour is not', async (t) => {
  const steal = await stealFunction('sgp1', 'lobby')
  const neighbour = await stealFunction('sgp1', 'invite')
  await using thief = await steal()
  await using beside = await neighbour()
  await withdrawUntil(t, ids.lobby, 'the function is cut', () => thief.nc.isClosed())
  t.false(beside.nc.isClosed())
  await t.throwsAsync(steal(), { code: 'ERR_CONNECT' })
  await network.supercluster.restart('sgp1-leafnode')
  await network.supercluster.awaitMesh(30_000)
  await t.throwsAsync(steal(), { code: 'ERR_CONNECT' })
  // Other regions answer meanwhile.
  t.not((await network.request({ region: 'sgp1' })).region, 'sgp1')
})

test.serial('reinstated, a function comes back with a key that no thief has', async (t) => {
  const { certificate } = identityPaths(network.homes.data, { name: 'sgp1-lobby', region: 'sgp1' })
  const before = new X509Certificate(readFileSync(certificate))
  const { code, stderr } = await withdraw(ids.lobby, '--reinstate')
  t.is(code, 0, stderr)
  const after = new X509Certificate(readFileSync(certificate))
  t.false(after.publicKey.equals(before.publicKey))
  await network.requestFrom('sgp1')
  t.regex((await withdraw(ids.lobby, '--reinstate')).stdout, /: not withdrawn$/m)
})

const logOf = ({ folder }: { folder: string }) => readFileSync(join(folder, 'log'), 'utf8')

/** Whether a server has a route or gateway to it; one that just restarts has none. */
async function isLinked({ folder }: { folder: string }): Promise<boolean> {
  const id = /ID: +(N[A-Z2-7]{55})$/m.exec(logOf({ folder }))?.[1] ?? '?'
  const servers = network.supercluster.regions.flatMap((region) => region.servers)
  const asked = servers.flatMap(({ monitor: { host, port } }) =>
    ['routez', 'gatewayz'].map(async (what) => {
      const answer = await fetch(`http://${host}:${port}/${what}`)
      return (await answer.text()).includes(id)
    }),
  )
  const answers = await Promise.allSettled(asked)
  return answers.some((answer) => answer.status === 'fulfilled' && answer.value)
}

test.serial('a server is cut off by its peers, and let in by none', async (t) => {
  const place = placeOf('sgp1').servers[2] as ServerPlace
  const { configuration } = serverPaths(network.homes.data, place)
  const { certificate, key } = identityPaths(network.homes.data, place)
  const stolen = steal(network.folder, configuration, [certificate, key])
  // Where it is, the true ams3-0 would be refused for its name: it could hold up a rolling restart.
  await using twin = await startTestServer(elsewhere(network.folder, stolen, 'ams3-0'))
  await until('the twin is in', () => isLinked(twin))
  await withdrawUntil(t, ids.server, 'the twin is cut', async () => !(await isLinked(twin)))
  const names = (await network.supercluster.awaitMesh(30_000)).map(({ name }) => name)
  t.deepEqual(names.toSorted(), [
    ...['ams3-0', 'ams3-1', 'ams3-2', 'sfo2-0', 'sfo2-1', 'sfo2-2', 'sgp1-0', 'sgp1-1'],
  ])
  // In the place of its victim, which is free now.
  await using thief = await startTestServer(stolen)
  for (const kind of ['Router', 'Gateway'])
    await until(`no ${kind} admits it`, () =>
      new RegExp(`${kind} connection closed`).test(logOf(thief)),
    )
  const seen = await network.supercluster.awaitMesh(30_000)
  t.false(
    seen.some(
      ({ routes, inboundGateways }) =>
        routes.includes('sgp1-2') || inboundGateways.some(({ server }) => server === 'sgp1-2'),
    ),
  )
})

test.serial('who looks at the network misses nobody that was withdrawn', async (t) => {
  const where = ['--archipelago', network.archipelagoFile, '--data-dir', network.homes.data]
  for (const [script, ...options] of [['verify-supercluster'], ['verify-peer', '--all']] as const) {
    const { code, stdout, stderr } = await runScript(script, [...options, ...where])
    t.is(code, 0, stdout + stderr)
    t.notRegex(stdout, /sgp1-2|sfo2-leafnode/)
  }
})

test.serial(
  'reinstated, a leafnode and a server come back, and their thieves do not',
  async (t) => {
    await using thief = await startTestServer(stolenLeafnode)
    for (const id of [ids.leafnode, ids.server]) {
      const { code, stdout, stderr } = await withdraw(id, '--reinstate')
      t.is(code, 0, stdout + stderr)
    }
    t.is((await network.supercluster.awaitMesh(30_000)).length, 9)
    await network.requestFrom('sfo2')
    const refused = () => logOf(thief).match(/Leafnode connection closed/g)?.length ?? 0
    const before = refused()
    await until('it has tried again', () => refused() > before + 2)
    t.false((await leafnodes()).includes('thief'))
  },
)
