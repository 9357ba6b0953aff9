// Regions that join, by the two steps of docs/operations.md.
import { until } from '../../until.ts'
import type { Cluster } from '../lab/cluster.ts'
import { gatewaysOf, roundTripsOf, serversOf } from '../network/gateways.ts'
import { allHealthy, announce, regions, type Assertions, type Network } from '../network/network.ts'
import { adoptRegion, awaitHealthy, startRegion } from '../network/region.ts'

export async function firstRegionAlone(t: Assertions, network: Network): Promise<void> {
  const { lab, operator, say } = network
  const first = lab.cluster('ams3')
  await startRegion(operator, first)
  await adoptRegion(lab, operator, first)
  await announce(network)
  await awaitHealthy(first)
  say('ams3 is synced and healthy, alone')
  t.deepEqual(await gatewaysOf(first), { 'ams3-0': [], 'ams3-1': [], 'ams3-2': [] })
}

export async function othersJoin(t: Assertions, network: Network): Promise<void> {
  const { lab, operator, say } = network
  const others = lab.clusters.filter(({ region }) => region !== 'ams3')
  await Promise.all(others.map((cluster) => startRegion(operator, cluster)))
  for (const cluster of others) await adoptRegion(lab, operator, cluster)
  await announce(network)
  await allHealthy(network)
  say('all are synced and healthy')
  await Promise.all(lab.clusters.map((cluster) => awaitGateways(cluster, regions)))
  say('every server has both gateways')
  for (const cluster of lab.clusters) {
    const longest = Math.max(...(await roundTripsOf(cluster)))
    t.true(longest > 100, `the lines of ${cluster.region} have the length of the world: ${longest}`)
  }
}

export async function joinAll(network: Network): Promise<void> {
  const { lab, operator } = network
  await Promise.all(lab.clusters.map((cluster) => startRegion(operator, cluster)))
  for (const cluster of lab.clusters) await adoptRegion(lab, operator, cluster)
  await announce(network)
  await allHealthy(network)
  await Promise.all(lab.clusters.map((cluster) => awaitGateways(cluster, regions)))
}

/** Every server of the region has a gateway to each of the regions, and to no other. */
export async function awaitGateways(cluster: Cluster, present: readonly string[]): Promise<void> {
  const others = present.filter((each) => each !== cluster.region)
  const whole = Object.fromEntries(serversOf(cluster).map((name) => [name, others]))
  await until(
    `${cluster.region} to have gateways to ${others.join(' and ')}`,
    async () => JSON.stringify(await gatewaysOf(cluster)) === JSON.stringify(whole),
    { deadlineMs: 180_000 },
  )
}
