// What nothing can stop, shown so that nobody believes otherwise (SECURITY.md): whoever holds one
// region's server key joins the mesh with a server of his own, and reads every account's subjects.
// What is signed and sealed end to end survives it.
import { writeFileSync } from 'node:fs'
import test from 'ava'
import { formatUrl, type RegionPlace, type ServerPlace } from '../../core/network/endpoint.ts'
import { identityPaths, serverPaths } from '../../laptop/layout.ts'
import { readAnchors } from '../../laptop/identity/anchors.ts'
import { openFiles } from '../../store/files.ts'
import { connectWithNkey, type Msg, type NatsConnection } from '../../nats/connect.ts'
import { makeNkeyPair } from '../../store/key-file.ts'
import { startTestNetwork, type TestNetwork } from '../test-network.ts'
import { startTestServer, type TestServer } from '../test-server.ts'
import { until } from '../until.ts'

const region = 'ams3'
const deadlineMs = 20_000

let network: TestNetwork
let foreign: TestServer
test.before(async () => {
  network = await startTestNetwork()
  loseRegion()
  foreign = await startForeign()
})
test.after.always(async () => {
  await foreign?.[Symbol.asyncDispose]()
  await network?.[Symbol.asyncDispose]()
})

/**
 * Whoever has the region's keys sees to it that only his own server answers for it: a genuine one that
 * comes back for a moment tells the other regions where it is, and they forget where his is.
 */
function loseRegion(): void {
  const { regions } = network.supercluster
  const pids = network.supercluster.pids()
  for (const server of regions.find(({ name }) => name === region)?.servers ?? []) {
    writeFileSync(serverPaths(network.homes.data, server).configuration, 'no configuration')
    process.kill(pids.get(server.name) as number, 'SIGKILL')
  }
}

/** No operator, no JWT: accounts that are merely *named* by the public keys of ours. */
async function startForeign(): Promise<TestServer> {
  const { regions } = network.supercluster
  const own = regions.find(({ name }) => name === region) as RegionPlace
  const { homes, archipelago } = network
  const { certificate, key } = identityPaths(homes.data, own.servers[0] as ServerPlace)
  const trusted = readAnchors(openFiles(), homes, archipelago).get(region)?.mesh.path ?? ''
  const users = network.operator.accounts.map(({ claims }) => {
    const user = { user: claims.name as string, password: 'foreign' }
    return [claims.sub, { users: [user] }] as const
  })
  const gateways = regions
    .filter(({ name }) => name !== region)
    .map(({ name, servers }) => ({ name, urls: servers.map(({ gateway }) => formatUrl(gateway)) }))
  return startTestServer({
    server_name: 'foreign',
    accounts: Object.fromEntries(users),
    gateway: {
      name: region,
      listen: '127.0.0.1:-1',
      tls: { cert_file: certificate, key_file: key, ca_file: trusted },
      gateways,
    },
  })
}

function enter({ url }: TestServer, account: string): Promise<NatsConnection> {
  const options = { tls: null, user: account, pass: 'foreign', authenticator: [] as never }
  return connectWithNkey({ servers: [url], ca: '', name: 'foreign', options }, makeNkeyPair('user'))
}

test.serial(
  'a foreign server with a stolen server key reads direct messages of another region',
  async (t) => {
    await using spy = await enter(foreign, 'KUBECON')
    const [alice, bob] = await Promise.all([
      network.request({ name: 'alice', region: 'sfo2' }),
      network.request({ name: 'bob', region: 'sgp1' }),
    ])
    await using sender = await network.connect(alice, 'sfo2')
    const heard: string[] = []
    const subject = `chat.KUBECON.dms.${bob.creds.pair.publicKey}`
    spy.subscribe(subject, { callback: (_, msg: Msg) => void heard.push(msg.string()) })
    const isHeard = (): boolean => {
      sender.publish(subject, 'for bob alone')
      return heard.length > 0
    }
    await until('the spy hears', isHeard, { deadlineMs })
    t.true(heard.includes('for bob alone'))
  },
)

test.serial('it hears requests for credentials, and still cannot forge an answer', async (t) => {
  await using spy = await enter(foreign, 'ACCESS')
  const asked: Msg[] = []
  spy.subscribe('chat.req.access.sfo2', {
    callback: (_, msg: Msg) => {
      asked.push(msg)
      msg.respond(JSON.stringify({ sealed: Buffer.alloc(400).toString('base64url') }))
    },
  })
  const request = async () => {
    const got = await network.request({ name: 'carol', region: 'sfo2' })
    return asked.length > 0 ? got : undefined
  }
  const credential = await until('the spy hears a request', request, { deadlineMs })
  // An answer that comes first uses up the way back of sfo2's own: then the requestor waits on and asks sgp1.
  t.true(['sfo2', 'sgp1'].includes(credential.region))
  t.is(credential.creds.user.claims.name, 'carol')
  t.false(asked.some((msg) => msg.string().includes(credential.creds.pair.seed)))
})
