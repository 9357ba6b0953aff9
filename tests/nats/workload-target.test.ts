// Workloads of two regions, over WebSockets, by certificate and credential.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import { parseCertificates } from '../../core/identity/certificate.ts'
import { formatHostPort, formatUrl, type RegionPlace } from '../../core/network/endpoint.ts'
import { startSupercluster, type Supercluster } from '../../laptop/supercluster.ts'
import { connectWithCreds, type NatsConnection } from '../../nats/connect.ts'
import { workloadTarget } from '../../nats/workload-target.ts'
import { readBundles } from '../../store/bundles.ts'
import { openFiles } from '../../store/files.ts'
import { homesOf } from '../../store/homes.ts'
import { makeBareNetwork } from '../laptop/bare-network.ts'
import { until } from '../until.ts'
import {
  authorityOf,
  connectWorkload,
  makeWorkAccount,
  mintSvid,
  mintUser,
  workloadUrls,
  type Svid,
} from '../workloads.ts'

const network = await makeBareNetwork({ regions: 2, servers: 1 })
const work = makeWorkAccount(network)
let supercluster: Supercluster
test.before(async () => {
  supercluster = await startSupercluster({ ...network.options, trust: work.trust })
})
test.after.always(async () => {
  await supercluster?.stop()
  await network[Symbol.asyncDispose]()
})

const svidOf = (region: string, path = 'workload/exporter') =>
  mintSvid(`spiffe://${region}.archipelago.example/${path}`, authorityOf(network, region))

const placeOf = (region: string) =>
  supercluster.regions.find(({ name }) => name === region) as RegionPlace

async function connect(region: string, home = region): Promise<NatsConnection> {
  const servers = workloadUrls([placeOf(region)])
  const creds = mintUser(work, 'identity')
  return connectWorkload(network, { servers, svid: await svidOf(home), creds })
}

/** What the server of a region says of the certificate by which this client came. */
async function seen(region: string, { info }: NatsConnection) {
  const [server] = placeOf(region).servers
  const { host, port } = server?.monitor ?? { host: '', port: 0 }
  const answer = await fetch(`http://${formatHostPort(host, port)}/connz?auth=1`)
  const { connections } = (await answer.json()) as { connections: Seen[] }
  return connections.find(({ cid }) => cid === info?.client_id)
}
interface Seen {
  readonly cid: number
  readonly type: string
  readonly tls_peer_certs: readonly { readonly cert_sha256: string }[]
}

const digestsOf = ({ certificate }: Svid) =>
  parseCertificates(certificate).map(({ der }) => createHash('sha256').update(der).digest('hex'))

test.serial('a message of a workload is heard in another region', async (t) => {
  const [sender, hearer] = [await connect('ams3'), await connect('sfo2')]
  const heard: string[] = []
  hearer.subscribe('metrics.cpu', { callback: (_, msg) => void heard.push(msg.string()) })
  await hearer.flush()
  await until('it is heard', async () => {
    sender.publish('metrics.cpu', 'x'.repeat(60_000))
    await sender.flush()
    return heard.length > 0
  })
  t.is(heard[0]?.length, 60_000)
  await Promise.all([sender.close(), hearer.close()])
})

test.serial(
  'many messages at once come in order and whole, and close waits for them',
  async (t) => {
    const [sender, hearer] = [await connect('ams3'), await connect('ams3')]
    const heard: number[] = []
    hearer.subscribe('metrics.cpu', {
      callback: (_, msg) => void heard.push(Number(msg.string().trim())),
    })
    await hearer.flush()
    const count = 5_000
    for (let n = 0; n < count; n += 1) sender.publish('metrics.cpu', String(n).padStart(1024))
    await sender.drain()
    await until('all are heard', () => heard.length >= count)
    t.deepEqual(
      heard,
      Array.from({ length: count }, (_, n) => n),
    )
    await hearer.close()
  },
)

test.serial('a workload of another region is let in, where its own may be down', async (t) => {
  const nc = await connect('sfo2', 'ams3')
  t.is(nc.info?.cluster, 'sfo2')
  await nc.close()
})

test.serial('the server says by which certificate a workload is connected', async (t) => {
  const svid = await svidOf('ams3')
  const servers = workloadUrls([placeOf('ams3')])
  const nc = await connectWorkload(network, { servers, svid, creds: mintUser(work, 'identity') })
  const one = await seen('ams3', nc)
  t.is(one?.type, 'websocket')
  t.deepEqual(
    one?.tls_peer_certs.map(({ cert_sha256 }) => cert_sha256),
    digestsOf(svid),
  )
  await nc.close()
})

test.serial(
  'beside connections over TCP each is dialled again in its own way, by what was renewed',
  async (t) => {
    const servers = workloadUrls([placeOf('ams3')])
    const renewed = {
      ...(await svidOf('ams3')),
      bundles: readBundles(openFiles(), homesOf(network.data)),
    }
    const creds = mintUser(work, 'identity')
    const target = workloadTarget(renewed, { servers, name: 'exporter' })
    const workload = await connectWithCreds(target, () => creds)
    const [server] = placeOf('ams3').servers
    const member = await network.connect(
      mintUser(work, 'lobby'),
      server ? [formatUrl(server.client)] : [],
    )
    const next = await svidOf('ams3')
    Object.assign(renewed, next)
    const back = [workload, member].map(async (nc) => {
      for await (const { type } of nc.status()) if (type === 'reconnect') return
    })
    await supercluster.restart('ams3-0')
    await Promise.all(back)
    const digests = async (nc: NatsConnection) =>
      (await seen('ams3', nc))?.tls_peer_certs?.map(({ cert_sha256 }) => cert_sha256)
    t.deepEqual(await digests(workload), digestsOf(next))
    t.is(await digests(member), undefined)
    await Promise.all([workload.close(), member.close()])
  },
)

/** Whoever has a certificate that leads to an authority of the network can listen. */
async function impostor(shown: Svid) {
  const server = createServer({ cert: shown.certificate, key: shown.key })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { url: `wss://127.0.0.1:${port}`, [Symbol.dispose]: () => void server.close() }
}

for (const [who, path] of [
  ['another workload', 'workload/thief'],
  ['a function', 'function/lobby'],
  ['a leafnode server', 'nats/leafnode'],
] as const)
  test.serial(`${who} of the network is not taken for a server`, async (t) => {
    using listener = await impostor(await svidOf('sfo2', path))
    const [svid, creds] = [await svidOf('ams3'), mintUser(work, 'identity')]
    const dial = connectWorkload(network, { servers: [listener.url], svid, creds })
    const message = /peer is spiffe:\/\/sfo2\.archipelago\.example\/\S+, not a server/
    await t.throwsAsync(dial, { code: 'ERR_CONNECT', message })
  })

test.serial('a server of a region that it does not know is not spoken to', async (t) => {
  const all = readBundles(openFiles(), homesOf(network.data))
  const bundles = new Map([...all].filter(([domain]) => domain.startsWith('ams3')))
  const workload = { ...(await svidOf('ams3')), bundles }
  const target = workloadTarget(workload, { servers: workloadUrls([placeOf('sfo2')]), name: 'x' })
  const creds = mintUser(work, 'identity')
  await t.throwsAsync(
    connectWithCreds(target, () => creds),
    { code: 'ERR_CONNECT', message: /unable to get (local )?issuer certificate/ },
  )
})

test.serial('a server that is not there is refused by name', async (t) => {
  const [svid, creds] = [await svidOf('ams3'), mintUser(work, 'identity')]
  await t.throwsAsync(connectWorkload(network, { servers: ['wss://127.0.0.1:1'], svid, creds }), {
    code: 'ERR_CONNECT',
    message: /^cannot connect to wss:\/\/127\.0\.0\.1:1: connection refused$/,
  })
})
