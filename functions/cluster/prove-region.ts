// The job `prove-region`: before a change, with --before, looks which gateways are up and keeps it; after it,
// fails on what this region owes, and names what is nobody's fault here.
import { setTimeout as delay } from 'node:timers/promises'
import { parseNetworkFile } from '../../core/access/network-file.ts'
import { Refusal } from '../../core/errors.ts'
import { openDoors } from '../../core/network/access-subject.ts'
import { formatUrl } from '../../core/network/endpoint.ts'
import { placeClusters } from '../../core/network/kubernetes.ts'
import { gatewaysOf, judgeRegion, type GatewaysBefore } from '../../core/network/region-proof.ts'
import { openCluster, type Cluster } from '../../kube/cluster.ts'
import { readOrRefuse } from '../../store/files.ts'
import { parseClusterEnvironment, readOwnArchipelago } from './environment.ts'
import { configMapKind, keepEntries, type ConfigMap } from './keep-config-map.ts'
import { lookAtRegion } from './look-at-region.ts'
import { proveInside, type Inside } from './prove-inside.ts'
import { runInCluster } from './run-in-cluster.ts'

const proofName = 'region-proof'
const networkFile = '/etc/network-file/network.json'
/** A server takes a minute to go and come back. */
const secondsMax = 120
const pauseMs = 2_000

async function main(): Promise<void> {
  const proving = openProving()
  if (!process.argv.includes('--before')) return prove(proving)
  const before = gatewaysOf(await proving.look())
  await keepProof(proving.cluster, { 'before.json': JSON.stringify(before) })
}

function openProving() {
  const environment = parseClusterEnvironment(process.env)
  const archipelago = readOwnArchipelago(environment)
  const { region, namespace } = environment
  const places = placeClusters(archipelago)
  const place = places.find(({ name }) => name === region)
  const { addresses: [serverName = ''] = [] } =
    archipelago.regions.find(({ name }) => name === region) ?? {}
  if (place === undefined) throw new Refusal('ERR_REGION_UNKNOWN', `unknown region: '${region}'`)
  return {
    ...{ archipelago, region, place, serverName },
    peers: places.map(({ name }) => name).filter((name) => name !== region),
    cluster: openCluster(namespace),
    look: () => lookAtRegion(place.servers.map(({ monitor }) => monitor)),
  }
}

type Proving = ReturnType<typeof openProving>

async function prove(proving: Proving): Promise<void> {
  const { region, place, cluster } = proving
  const { apart } = await awaitRegion(proving, Number(process.env['PROOF_SECONDS'] ?? secondsMax))
  const inside = await proveInside(insideOf(proving))
  const proven = [`${place.servers.length} servers, their routes and leafnodes`, ...inside]
  const result = { region, proven, apart, at: new Date().toISOString() }
  await keepProof(cluster, { 'result.json': JSON.stringify(result) })
  for (const name of proven) console.log(`proven: ${name}`)
  for (const peer of apart) console.log(`apart: no gateway to ${peer}, as before`)
}

const owedBy = ({ archipelago, place, peers }: Proving) => ({
  servers: place.servers.map(({ name }) => name),
  peers,
  leafnodes: openDoors(archipelago.roles)
    .filter((door) => door !== 'legacy')
    .map((door) => `function-${door}-`),
})

const insideOf = ({ archipelago, region, serverName, place }: Proving): Inside => ({
  ...{ archipelago, region, serverName },
  network: parseNetworkFile(readOrRefuse(networkFile, 'network file')),
  servers: place.servers.map(({ route, client }) => formatUrl({ ...client, host: route.host })),
})

type Verdict = ReturnType<typeof judgeRegion>

/** Returns as soon as nothing is broken; refuses with what is, after the deadline. */
async function awaitRegion(proving: Proving, seconds: number): Promise<Verdict> {
  const [owed, before] = [owedBy(proving), await readBefore(proving.cluster)]
  const deadline = performance.now() + seconds * 1000
  for (;;) {
    const verdict = judgeRegion(owed, await proving.look(), before)
    if (verdict.broken.length === 0) return verdict
    if (performance.now() > deadline)
      throw new Refusal('ERR_REGION_UNPROVEN', `not proven: ${verdict.broken.join('; ')}`)
    await delay(pauseMs)
  }
}

async function readBefore(cluster: Cluster): Promise<GatewaysBefore> {
  const { data } = (await cluster.read<ConfigMap>(configMapKind, proofName)) ?? {}
  const text = data?.['before.json']
  return text === undefined ? {} : (JSON.parse(text) as GatewaysBefore)
}

async function keepProof(cluster: Cluster, data: Record<string, string>): Promise<void> {
  const found = await cluster.read<ConfigMap>(configMapKind, proofName)
  if (found !== undefined) return void (await keepEntries(cluster, found, data))
  await cluster.create({ ...configMapKind, metadata: { name: proofName }, data })
}

runInCluster('prove-region', main)
