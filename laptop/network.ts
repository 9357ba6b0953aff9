// The whole network on one machine: trust, servers, leafnode servers, functions, and the file with
// which newcomers find it.
import { join } from 'node:path'
import type { Archipelago } from '../core/archipelago.ts'
import type { ServiceUser } from '../core/trust/declare.ts'
import type { NatsConnection } from '../nats/connect.ts'
import { rootsFile } from '../store/authority-files.ts'
import { openFiles, readOrRefuse } from '../store/files.ts'
import { homesOf, type Homes } from '../store/homes.ts'
import type { OperatorHome } from '../store/operator.ts'
import { bundleFunction } from './bundle.ts'
import { openControl } from './control/open-control.ts'
import { operatorConnector } from './network/connect-operator.ts'
import { controlEdits, openEdits, type Edits } from './network/edits.ts'
import { keepAuthorities } from './network/keep-authorities.ts'
import { keepLeafnodesRenewed } from './network/leafnodes.ts'
import { makeTrust } from './network/make-trust.ts'
import { clientUrls, writeNetworkFile } from './network/network-file.ts'
import { functionsOf } from './network/plan-network.ts'
import { startFunctions } from './network/run-functions.ts'
import type { NetworkRuntime } from './network/runtime.ts'
import { networkSource } from './network/source.ts'
import { openWatcher, type Watcher } from './network/watch.ts'
import { startSupercluster, type Supercluster } from './supercluster.ts'
import { superviseProcesses, type Supervisor, type UnexpectedExit } from './supervisor.ts'

export interface NetworkOptions {
  readonly archipelago: Archipelago
  readonly data: string
  readonly natsServer: string
  readonly onExit?: (exit: UnexpectedExit) => void
  /** Hears what is worth a line while the network runs. */
  readonly report?: (line: string) => void
  readonly signal?: AbortSignal
}
/** What an apply changes is read as it is now. */
export interface RunningNetwork extends Edits, Pick<Watcher, 'watch'>, AsyncDisposable {
  readonly archipelago: Archipelago
  readonly homes: Homes
  readonly operator: OperatorHome
  readonly supercluster: Supercluster
  readonly functions: Supervisor
  /** What a newcomer is given. */
  readonly networkFile: string
  /** Connects one of the operator's own users, to a region or to any. */
  connectAs(user: ServiceUser, region?: string): Promise<NatsConnection>
}

/**
 * Starts all of it and returns when every function answers; after a failure nothing is left running.
 * Refuses before it writes anything while another one runs from this data directory, and where
 * archipelago.yaml withdraws what only an apply may.
 */
export async function startNetwork(options: NetworkOptions): Promise<RunningNetwork> {
  const { data, onExit = () => {}, report = () => {}, signal } = options
  await using started = new AsyncDisposableStack()
  const homes = homesOf(data)
  const control = started.use(await openControl(homes.run))
  const files = openFiles()
  const trust = makeTrust({ files, homes }, options.archipelago)
  const bundle = join(homes.run, 'provision-credentials.cjs')
  const bundled = bundleFunction(bundle)
  // A start that fails ends when nothing is written any more.
  started.defer(() => bundled.catch(() => {}))
  const connectTo = operatorConnector({
    home: () => trust.operator,
    ca: () => readOrRefuse(rootsFile(homes.public, 'public'), 'public root'),
  })
  const supercluster = started.use(
    await startSupercluster({
      ...networkSource(trust.archipelago, { files, homes, operator: trust.operator }),
      ...{ data, natsServer: options.natsServer, onExit, report, ...(signal && { signal }) },
      observe: (urls) => connectTo('observer', urls),
    }),
  )
  await bundled
  const onLine = (line: string): void => void (isAlarm(line) && report(line))
  const functions = started.use(superviseProcesses({ runDirectory: homes.run, onExit, onLine }))
  const runtime: NetworkRuntime = {
    ...{ homes, files, bundle, trust, supercluster, functions, connectTo },
    ...{ specs: [], unpushed: undefined },
  }
  await startFunctions(runtime, functionsOf(runtime, trust.archipelago), signal)
  started.use(keepLeafnodesRenewed(() => ({ files, homes, ...trust }), report))
  const networkFile = writeNetworkFile(runtime)
  const watcher = openWatcher(runtime)
  const edits = openEdits(runtime, watcher)
  control.handle(controlEdits(edits))
  started.use(keepAuthorities(() => edits.rollDue(report), report))
  const running = started.move()
  const stop = () => running.disposeAsync()
  return handle(runtime, {
    ...edits,
    watch: watcher.watch,
    networkFile,
    [Symbol.asyncDispose]: stop,
  })
}

/** What a function says on its standard error is its own affair, but for this. */
const isAlarm = (line: string): boolean => line.includes(': alarm: ')

type Parts = Edits & Pick<RunningNetwork, 'watch' | 'networkFile' | typeof Symbol.asyncDispose>

function handle(runtime: NetworkRuntime, parts: Parts): RunningNetwork {
  const { homes, trust, supercluster, functions, connectTo } = runtime
  return {
    ...{ ...parts, homes, supercluster, functions },
    get archipelago() {
      return trust.archipelago
    },
    get operator() {
      return trust.operator
    },
    connectAs: (user, region) => connectTo(user, clientUrls(supercluster.regions, region)),
  }
}
