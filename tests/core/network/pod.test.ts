import { join } from 'node:path'
import test from 'ava'
import { compareConfigurations } from '../../../core/network/change.ts'
import { placeClusters } from '../../../core/network/kubernetes.ts'
import {
  configureAccounts,
  configureLimits,
  configurePod,
  podFiles,
} from '../../../core/network/pod.ts'
import { configureServer } from '../../../core/network/server.ts'
import { readArchipelago } from '../../../store/archipelago.ts'

const archipelago = readArchipelago(join(import.meta.dirname, '../../../archipelago.yaml'))
const regions = placeClusters(archipelago)
const [server] = regions[1]?.servers ?? []
if (server === undefined) throw new TypeError('no server')

const trust = {
  operatorJwt: podFiles.operator,
  systemAccount: 'ASYS',
  accounts: [
    { publicKey: 'AB', jwt: 'two' },
    { publicKey: 'AA', jwt: 'one' },
  ],
}
const tls = { certificate: '/c', key: '/k', trusted: '/t' }
const files = { tls: { clients: tls, region: tls, network: tls }, resolverDirectory: '/r' }

test('the three parts of a pod are what a server has on a laptop, but for files and advertising', (t) => {
  const { connectionsMax } = archipelago.server
  const whole = configureServer(server, { regions, connectionsMax, trust }, files)
  const parts = {
    ...configurePod(server, regions, archipelago),
    ...configureLimits(archipelago),
    ...configureAccounts(trust),
  }
  t.deepEqual(
    compareConfigurations(whole, parts)
      .settings.filter((setting) => !/tls\.(cert|key|ca)_file$/.test(setting))
      .toSorted(),
    ['cluster.no_advertise', 'pid_file', 'resolver'],
  )
})

test('what reloads is apart from what restarts', (t) => {
  const now = configureLimits(archipelago)
  const later = configureLimits({ ...archipelago, server: { connectionsMax: 7 } })
  t.deepEqual(compareConfigurations(now, later), {
    effect: 'reload',
    settings: ['max_connections'],
  })
  t.deepEqual(
    Object.keys(configurePod(server, regions, archipelago)).filter((key) => key in now),
    [],
  )
})

test('in a cluster routes and leafnodes dial pods, and gateways the names of their region', (t) => {
  t.is(server.route.host, 'sfo2-0.nats.nats.svc.cluster.local')
  t.is(server.leafnode.host, server.route.host)
  t.like(server.gateway, { host: 'sfo2-0.sfo2.archipelago.example', port: 30522, listenPort: 7522 })
})

test('behind anything but node addresses gateways are dialled at their own port', (t) => {
  for (const gateways of ['host-port', 'load-balancer', 'load-balancers'] as const) {
    const changed = archipelago.regions.map((region) => ({ ...region, gateways }))
    const [place] = placeClusters({ ...archipelago, regions: changed })
    t.deepEqual(
      place?.servers.map(({ gateway }) => gateway.port),
      [7522, 7522, 7522],
    )
  }
})
