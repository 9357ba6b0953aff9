// What the parts of a running supercluster share.
import { Refusal } from '../core/errors.ts'
import type { NatsConnection } from '../nats/connect.ts'
import type { Configuration } from '../core/network/configuration.ts'
import { formatUrl } from '../core/network/endpoint.ts'
import type { ObservedServer } from '../core/network/topology.ts'
import {
  expectedNetwork,
  type NetworkPlan,
  type NetworkSource,
  type PlannedServer,
} from './configurations.ts'
import { awaitMesh, type MeshOptions } from './mesh.ts'
import { describeRefusedTimes, type ServerLog } from './refused-times.ts'
import type { ProcessSpec } from './process.ts'
import type { Supervisor, UnexpectedExit } from './supervisor.ts'

export interface SuperclusterOptions extends NetworkSource {
  readonly data: string
  /** Path of the nats-server to run. */
  readonly natsServer: string
  /** Connects as an observer of the system account to one of these URLs. */
  readonly observe: (servers: readonly string[]) => Promise<NatsConnection>
  /** Hears of every process that ended unasked and is started again. */
  readonly onExit?: (exit: UnexpectedExit) => void
  /** Hears of certificates that are not renewed, or not shown. */
  readonly report?: Report
  /** Hears of every renewal. */
  readonly detail?: Report
  /** By which certificates begin and end. */
  readonly nowMs?: () => number
  /** Gives up the start; nothing is left running. */
  readonly signal?: AbortSignal
}

/** The plan is replaced when another one is applied. */
export interface Running {
  readonly options: SuperclusterOptions
  readonly supervisor: Supervisor
  /** By process name what each runs, which lags behind a plan that could not be carried out to its end. */
  readonly loaded: Map<string, Configuration>
  /** Whose certificates were made and are not yet seen served. */
  readonly unserved: Set<string>
  /** Who writes certificates: one at a time. */
  readonly issuing: <T>(act: () => Promise<T>) => Promise<T>
  /**
   * Reloads, and our own first words to a server: one at a time. A server that reloads asks everybody
   * whether he may be there, and cuts off who has not said yet who he is (nats-server 2.15).
   */
  readonly reloading: <T>(act: () => Promise<T>) => Promise<T>
  /** What the plan was made from. */
  source: NetworkSource
  plan: NetworkPlan
}

/** Hears a line before each step. */
export type Report = (line: string) => void

/** Waits for the mesh as a plan describes it. */
export function meshOf(
  { options, plan, reloading }: Pick<Running, 'options' | 'plan' | 'reloading'>,
  patience: Omit<MeshOptions, 'connect'>,
): Promise<readonly ObservedServer[]> {
  const urls = plan.regions.flatMap(({ servers }) => servers.map(({ client }) => formatUrl(client)))
  const connect = (attempt: number) =>
    reloading(() => options.observe([urls[attempt % urls.length] ?? '']))
  return awaitMesh(expectedNetwork(plan), { connect, ...patience }).catch((error: unknown) => {
    throw withRefusedTimes(error, plan.servers)
  })
}

function withRefusedTimes(error: unknown, servers: readonly ServerLog[]): unknown {
  if (!(error instanceof Refusal) || error.code !== 'ERR_NOT_MESHED') return error
  const times = describeRefusedTimes(servers)
  if (times === undefined) return error
  return new Refusal(error.code, `${error.message}; ${times}`, { cause: error })
}

/** Starts what the plan has by this name. */
export function startServer(running: Running, server: PlannedServer): void {
  running.unserved.delete(server.name)
  running.supervisor.start(processOf(running, server))
  running.loaded.set(server.name, server.configuration)
}

/** Without newcomers that wait until every peer admits them. */
export const startedServers = ({ plan, loaded }: Pick<Running, 'plan' | 'loaded'>) =>
  plan.servers.filter(({ name }) => loaded.has(name))

function processOf(
  { options }: Pick<Running, 'options'>,
  { name, file, log }: PlannedServer,
): ProcessSpec {
  return { name, log, command: options.natsServer, args: ['-c', file], mark: file }
}
