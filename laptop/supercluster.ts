// The whole network as processes of one machine: a nats-server for each server and leafnode server.
import { Refusal } from '../core/errors.ts'
import type { ProcessChange } from '../core/network/change.ts'
import type { RegionPlace } from '../core/network/endpoint.ts'
import type { ObservedServer } from '../core/network/topology.ts'
import { homesOf } from '../store/homes.ts'
import { type NetworkSource, type PlannedServer, planNetwork, writePlan } from './configurations.ts'
import { runDirectory } from './layout.ts'
import { endLeftovers } from './leftovers.ts'
import { removeOtherAnchors } from './identity/anchors.ts'
import { openTurn } from './in-turn.ts'
import { listenersOf } from './listeners.ts'
import { refuseTakenPorts } from './ports.ts'
import { reloadServer } from './reload.ts'
import { keepCertificatesRenewed } from './renewal.ts'
import { applyChanges, previewChanges, restartLinks } from './rollout.ts'
import {
  meshOf,
  type Report,
  type Running,
  startServer,
  type SuperclusterOptions,
} from './running.ts'
import { superviseProcesses, type UnexpectedExit } from './supervisor.ts'

export type { SuperclusterOptions } from './running.ts'

export interface Supercluster extends AsyncDisposable {
  readonly regions: readonly RegionPlace[]
  /** What the servers reported when the mesh was whole for the first time. */
  readonly observed: readonly ObservedServer[]
  readonly timings: { readonly spawnedMs: number; readonly readyMs: number }
  pids(): ReadonlyMap<string, number>
  signal(name: string, signal: NodeJS.Signals): void
  /** Refuses when the mesh is not whole before the deadline. */
  awaitMesh(deadlineMs: number): Promise<readonly ObservedServer[]>
  /** Starts one process anew; does not wait for the mesh. */
  restart(name: string): Promise<void>
  /** Makes every link anew, server by server; those of `newKeys` get new keys. */
  restartLinks(newKeys: readonly string[], report: Report): Promise<void>
  /** Refuses when the server does not take the configuration that lies on disk. */
  reload(name: string): Promise<void>
  /** What `apply` would do. */
  preview(source: NetworkSource): ProcessChange[]
  /** Makes the running network what the source says. */
  apply(source: NetworkSource, report: Report): Promise<ProcessChange[]>
  /** Makes every process take what is published now, and returns when all have confirmed it. */
  confirm(report: Report): Promise<void>
  /** Ends all processes. */
  stop(): Promise<void>
}

const meshDeadlineMs = 20_000
const leftoverDeadlineMs = 3000

/** Returns when every server reports its routes, gateways and leafnodes; on any failure nothing is left running. */
export async function startSupercluster(options: SuperclusterOptions): Promise<Supercluster> {
  const started = performance.now()
  const { data, signal, nowMs = Date.now, report } = options
  await endLeftovers(runDirectory(data), leftoverDeadlineMs)
  const plan = await planNetwork(data, options, { nowMs: nowMs(), isStopped: true, report })
  await refuseTakenPorts(listenersOf(plan.regions, options.doors))
  writePlan(data, plan)
  signal?.throwIfAborted()
  const { supervisor, failure, settle } = superviseStart(options)
  // Without it a start that failed would go on asking for the mesh until the deadline.
  const failed = new AbortController()
  const givenUp = AbortSignal.any([failed.signal, ...(signal ? [signal] : [])])
  try {
    const state = {
      loaded: new Map(),
      unserved: new Set<string>(),
      issuing: openTurn(),
      reloading: openTurn(),
    }
    const running: Running = { options, supervisor, plan, source: options, ...state }
    for (const server of servingFirst(plan.servers)) startServer(running, server)
    const spawnedMs = performance.now() - started
    const observed = await Promise.race([
      meshOf(running, { deadlineMs: meshDeadlineMs, signal: givenUp }),
      failure,
    ])
    settle()
    removeOtherAnchors(homesOf(data), plan.anchors)
    return handle(running, {
      observed,
      timings: { spawnedMs, readyMs: performance.now() - started },
    })
  } catch (error) {
    failed.abort()
    await supervisor.stop()
    throw error
  }
}

/** A gateway dials a second after its server began, so the leafnode servers can wait. */
const servingFirst = (servers: readonly PlannedServer[]) =>
  servers.toSorted((a, b) => Number(a.isLeafnode) - Number(b.isLeafnode))

/** Until it is settled, an exit is a failure of the start; afterwards the caller hears of it. */
function superviseStart({ data, onExit = () => {} }: SuperclusterOptions) {
  const { promise: failure, reject } = Promise.withResolvers<never>()
  failure.catch(() => {})
  let hear = (exit: UnexpectedExit) => reject(startFailed(exit))
  const supervisor = superviseProcesses({
    runDirectory: runDirectory(data),
    onExit: (exit) => hear(exit),
  })
  return { supervisor, failure, settle: () => void (hear = onExit) }
}

function handle(
  running: Running,
  { observed, timings }: Pick<Supercluster, 'observed' | 'timings'>,
): Supercluster {
  const { supervisor } = running
  const renewing = keepCertificatesRenewed(running)
  const stop = async () => {
    await Promise.all([renewing[Symbol.asyncDispose](), supervisor.stop()])
  }
  return {
    observed,
    timings,
    get regions() {
      return running.plan.regions
    },
    pids: supervisor.pids,
    signal: supervisor.signal,
    awaitMesh: (deadlineMs) => meshOf(running, { deadlineMs }),
    restart: supervisor.restart,
    restartLinks: (newKeys, report) => restartLinks(running, newKeys, report),
    reload: (name) => reloadServer(running, name),
    preview: (source) => previewChanges(running, source),
    apply: (source, report) => applyChanges(running, source, report),
    confirm: async (report) => {
      await applyChanges(running, running.source, report)
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function startFailed({ name, code, signal, lastLine }: UnexpectedExit): Refusal {
  const how = signal === null ? `code ${code}` : signal
  return new Refusal('ERR_SERVER_FAILED', `${name} ended with ${how}: ${lastLine}`)
}
