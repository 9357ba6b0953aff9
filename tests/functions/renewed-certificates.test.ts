// Certificates of a running function are renewed under a stream of requests, and nobody notices.
import { Agent } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { accessSubject } from '../../core/network/access-subject.ts'
import type { RegionPlace } from '../../core/network/endpoint.ts'
import { peerChain } from '../../nats/handshake.ts'
import { startTestNetwork, type TestNetwork } from '../test-network.ts'
import { until } from '../until.ts'
import { askHttp, askNats, enterLobby, spell } from './ask.ts'
import { placeOf, reissue } from './reissue.ts'

const at = { region: 'ams3', door: 'lobby' } as const
const renewals = 5

let network: TestNetwork
test.before(async () => (network = await startTestNetwork()))
test.after.always(() => network?.[Symbol.asyncDispose]())

test('each renewal is shown at once, and no request is lost', async (t) => {
  const { https } = placeOf(network, at)
  const url = `https://${https.host}:${https.port}/`
  const { ca } = network.network.file
  const lobby = await enterLobby(network, at.region)
  const kept = new Agent({ keepAlive: true, maxSockets: 1 })
  const sockets = new Set<TLSSocket>()
  kept.on('keylog', (_, socket: TLSSocket) => sockets.add(socket))
  const asks = {
    nats: () => askNats(lobby, accessSubject(at.door, at.region), spell(network)),
    'https, a connection each': () => askHttp(url, { ca, body: spell(network) }),
    'https, one connection': () => askHttp(url, { ca, body: spell(network), agent: kept }),
  }
  const stop = new AbortController()
  const streams = Object.entries(asks).map(([what, ask]) => keepAsking(what, ask, stop.signal))
  const links = new Set([await linkOf(network)].map(({ cid }) => cid))
  for (let renewal = 0; renewal < renewals; renewal += 1) {
    const hasNewKey = renewal % 2 === 1
    const identity = await reissue(network, { ...at, kind: 'identity', hasNewKey })
    const outside = await reissue(network, { ...at, kind: 'public', hasNewKey })
    await until('the listener shows it', async () => {
      const [leaf] = (await peerChain({ ...https, mode: 'tls' })).chain
      return leaf?.equals(outside.der)
    })
    const sha256 = identity.openssl.fingerprint256.replaceAll(':', '').toLowerCase()
    const { cid } = await until('the leafnode server sees it', async () => {
      const link = await linkOf(network)
      return link.certificates.includes(sha256) && link
    })
    t.false(links.has(cid), 'over a connection of its own')
    links.add(cid)
  }
  await until('the last link is alone', async () => (await linkOf(network)).count === 1)
  stop.abort()
  for (const { what, answered, failures } of await Promise.all(streams)) {
    t.deepEqual(failures, [], what)
    t.true(answered > renewals, `${what}: ${answered}`)
  }
  t.is(sockets.size, 1, 'an open connection stays open')
  kept.destroy()
  await lobby.close()
})

async function keepAsking(
  what: string,
  ask: () => Promise<{ status: number; error: string | undefined }>,
  signal: AbortSignal,
) {
  const failures: string[] = []
  let answered = 0
  while (!signal.aborted) {
    try {
      const { status, error } = await ask()
      if (status === 200) answered += 1
      else failures.push(String(error))
    } catch (error) {
      failures.push(String(error))
    }
    await delay(10)
  }
  return { what, answered, failures }
}

/** As the leafnode server's own monitor tells of the newest connection of this door. */
async function linkOf({ supercluster }: TestNetwork) {
  const { leafnode } = supercluster.regions.find(({ name }) => name === at.region) as RegionPlace
  const { host, port } = leafnode.monitor
  const answer = await fetch(`http://${host}:${port}/connz?auth=1`)
  const { connections } = (await answer.json()) as { connections: readonly Connection[] }
  const ours = connections.filter(
    ({ name }) => name === `provision-credentials ${at.door} ${at.region}`,
  )
  const { cid, tls_peer_certs = [] } = ours.toSorted((a, b) => b.cid - a.cid)[0] as Connection
  return { cid, certificates: tls_peer_certs.map((each) => each.cert_sha256), count: ours.length }
}

interface Connection {
  readonly cid: number
  readonly name: string
  readonly tls_peer_certs?: readonly { readonly cert_sha256: string }[]
}
