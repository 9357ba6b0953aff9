import test from 'ava'
import { parseArchipelago } from '../../../core/archipelago.ts'
import { authorityProfile } from '../../../core/identity/authority.ts'
import { clusterCertificates } from '../../../core/identity/cluster-certificates.ts'
import { requirePermitted } from '../../../core/identity/name-constraints.ts'
import { isServerId, serverId, serversId } from '../../../core/identity/names.ts'
import { placeClusters } from '../../../core/network/kubernetes.ts'
import { parseIp } from '../../../core/identity/general-name.ts'
import { edited, file } from '../archipelago/example.ts'
import { archipelago } from '../trust/example.ts'

const addressed = parseArchipelago(
  edited(
    'addresses: [ams3.nats.archipelago.example]',
    "addresses: ['192.0.2.7', ams3.example.org]",
  ),
  file,
)

for (const [title, network] of [
  ['names', archipelago],
  ['names and addresses', addressed],
] as const)
  test(`a region's authorities permit what its certificates name: ${title}`, (t) => {
    for (const { name: region } of network.regions)
      for (const { name, authority: kind, id, dns, ips } of clusterCertificates(network, region)) {
        const place = { region, kind, placement: 'distributed' } as const
        const { nameConstraints } = authorityProfile(network, place)
        const uris = id === undefined ? [] : [id]
        const names = { uris, dns: [...dns], ips: ips.map(parseIp), others: [] }
        t.notThrows(() => requirePermitted(names, nameConstraints), `${region}: ${name}`)
      }
  })

test('no certificate of a region is one that another region’s authority could sign', (t) => {
  const other = { region: 'sfo2', kind: 'identity', placement: 'distributed' } as const
  const { nameConstraints } = authorityProfile(archipelago, other)
  for (const { id, dns } of clusterCertificates(archipelago, 'ams3')) {
    if (id === undefined) continue
    const names = { uris: [id], dns: [...dns], ips: [], others: [] }
    t.throws(() => requirePermitted(names, nameConstraints), { code: 'ERR_CHAIN_NAME_URI' })
  }
})

test('each process has one identity, and no two have the same', (t) => {
  const all = archipelago.regions.flatMap(({ name }) => clusterCertificates(archipelago, name))
  const ids = all.flatMap(({ id }) => id ?? [])
  t.is(new Set(ids).size, ids.length)
  t.deepEqual(
    all.filter(({ authority, id }) => (authority === 'identity') !== (id !== undefined)),
    [],
  )
})

test('servers are one identity in a cluster, where they share a service account, and one each elsewhere', (t) => {
  const [place] = placeClusters(archipelago)
  const [server] = place?.servers ?? []
  if (server === undefined) throw new RangeError('no server')
  t.is(String(serversId(archipelago, 'ams3')), 'spiffe://ams3.archipelago.example/nats/server')
  t.true(isServerId(serversId(archipelago, 'ams3')))
  t.true(isServerId(serverId(archipelago, server)))
})
