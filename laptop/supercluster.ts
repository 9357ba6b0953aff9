// The whole network as processes of one machine: a nats-server for each server and leafnode server.
import type { NatsConnection } from '@nats-io/nats-core'
import type { Door } from '../core/access/door.ts'
import type { Archipelago } from '../core/archipelago.ts'
import { Refusal } from '../core/errors.ts'
import { digestConfiguration } from '../core/network/configuration.ts'
import {
  type Endpoint,
  formatUrl,
  placeNetwork,
  type RegionPlace,
} from '../core/network/endpoint.ts'
import type { NetworkTrust } from '../core/network/server.ts'
import type { ExpectedNetwork, ObservedServer } from '../core/network/topology.ts'
import { type CertificateHolder, type Certificates, ensureCertificates } from './certificates.ts'
import {
  formatPlanned,
  type NetworkPlan,
  type PlannedConfiguration,
  planConfigurations,
} from './configurations.ts'
import { makePrivateDirectory, writePrivateFile } from './files.ts'
import { runDirectory, serverPaths } from './layout.ts'
import { endLeftovers } from './leftovers.ts'
import { awaitMesh } from './mesh.ts'
import { type Listener, refuseTakenPorts } from './ports.ts'
import { superviseProcesses, type UnexpectedExit } from './supervisor.ts'

export interface SuperclusterOptions {
  readonly archipelago: Archipelago
  readonly data: string
  /** Path of the nats-server to run. */
  readonly natsServer: string
  readonly trust: NetworkTrust
  readonly access: NetworkPlan['access']
  /** The functions that need a certificate for their HTTPS port. */
  readonly doors: readonly Door[]
  /** Connects as an observer of the system account to one of these URLs. */
  readonly observe: (servers: readonly string[]) => Promise<NatsConnection>
  /** Hears of every process that ended unasked and is started again. */
  readonly onExit?: (exit: UnexpectedExit) => void
  /** Gives up the start; nothing is left running. */
  readonly signal?: AbortSignal
}

export interface Supercluster extends AsyncDisposable {
  readonly regions: readonly RegionPlace[]
  readonly certificates: Certificates
  /** What the servers reported when the mesh was whole. */
  readonly observed: readonly ObservedServer[]
  readonly timings: { readonly spawnedMs: number; readonly readyMs: number }
  pids(): ReadonlyMap<string, number>
  restart(name: string): Promise<void>
  awaitMesh(deadlineMs: number): Promise<ObservedServer[]>
  stop(): Promise<void>
}

const meshDeadlineMs = 20_000
const leftoverDeadlineMs = 3000

/** Returns when every server reports its routes, gateways and leafnodes; on any failure nothing is left running. */
export async function startSupercluster(options: SuperclusterOptions): Promise<Supercluster> {
  const started = performance.now()
  const { data, archipelago } = options
  await endLeftovers(runDirectory(data), leftoverDeadlineMs)
  const regions = placeNetwork(archipelago, 'laptop')
  await refuseTakenPorts(regions.flatMap(listenersOf))
  const certificates = await ensureCertificates(data, holdersOf(regions, options.doors), new Date())
  const planned = planConfigurations(data, { ...options, regions, pins: certificates.pins })
  writeConfigurations(data, regions, planned)
  options.signal?.throwIfAborted()

  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => {})
  let onExit = (exit: UnexpectedExit) => failure.reject(startFailed(exit))
  const supervisor = superviseProcesses({
    runDirectory: runDirectory(data),
    onExit: (exit) => onExit(exit),
  })
  try {
    for (const one of planned) supervisor.start(processOf(options.natsServer, one))
    const spawnedMs = performance.now() - started
    const urls = regions.flatMap(({ servers }) => servers.map(({ client }) => formatUrl(client)))
    const mesh = (deadlineMs: number, signal?: AbortSignal) =>
      awaitMesh(expectedNetwork(regions, planned), {
        connect: () => options.observe(urls),
        deadlineMs,
        ...(signal && { signal }),
      })
    const observed = await Promise.race([mesh(meshDeadlineMs, options.signal), failure.promise])
    onExit = options.onExit ?? (() => {})
    const readyMs = performance.now() - started
    return {
      ...{ regions, certificates, observed, timings: { spawnedMs, readyMs } },
      pids: () => supervisor.pids(),
      restart: (name) => supervisor.restart(name),
      awaitMesh: mesh,
      stop: () => supervisor.stop(),
      [Symbol.asyncDispose]: () => supervisor.stop(),
    }
  } catch (error) {
    await supervisor.stop()
    throw error
  }
}

function listenersOf({ servers, leafnode }: RegionPlace): Listener[] {
  return [
    ...servers.flatMap(({ name, client, route, leafnode: leafnodes, gateway, monitor }) => [
      { endpoint: client, purpose: `clients of ${name}` },
      { endpoint: route, purpose: `routes of ${name}` },
      { endpoint: leafnodes, purpose: `leafnodes of ${name}` },
      { endpoint: gateway, purpose: `gateways of ${name}` },
      { endpoint: monitor, purpose: `monitoring of ${name}` },
    ]),
    { endpoint: leafnode.client, purpose: `clients of ${leafnode.name}` },
    { endpoint: leafnode.monitor, purpose: `monitoring of ${leafnode.name}` },
  ]
}

function holdersOf(regions: readonly RegionPlace[], doors: readonly Door[]): CertificateHolder[] {
  return regions.flatMap(({ servers, leafnode, doors: places }) => [
    ...[...servers, leafnode].map((server) => holderOf(server, server.client)),
    ...places.filter(({ door }) => doors.includes(door)).map((door) => holderOf(door, door.https)),
  ])
}

function holderOf(
  process: { name: string; region: string },
  { host }: Endpoint,
): CertificateHolder {
  const { name, region } = process
  return { name, region, hosts: [...new Set([name, 'localhost', '127.0.0.1', host])] }
}

function writeConfigurations(
  data: string,
  regions: readonly RegionPlace[],
  planned: readonly PlannedConfiguration[],
) {
  for (const server of regions.flatMap(({ servers }) => servers)) {
    makePrivateDirectory(serverPaths(data, server).resolver)
  }
  for (const one of planned) writePrivateFile(one.file, formatPlanned(one))
}

const processOf = (natsServer: string, { name, file, log }: PlannedConfiguration) => ({
  ...{ name, log, command: natsServer, args: ['-c', file], mark: file },
})

function expectedNetwork(
  regions: readonly RegionPlace[],
  planned: readonly PlannedConfiguration[],
): ExpectedNetwork {
  return {
    regions: regions.map(({ name, servers, leafnode }) => ({
      ...{ name, servers: servers.map((server) => server.name), leafnodes: [leafnode.name] },
    })),
    digests: new Map(planned.map((one) => [one.name, digestConfiguration(one.configuration)])),
  }
}

function startFailed({ name, code, signal, lastLine }: UnexpectedExit): Refusal {
  const how = signal === null ? `code ${code}` : signal
  return new Refusal('ERR_SERVER_FAILED', `${name} ended with ${how}: ${lastLine}`)
}
