// The whole network on one machine: trust, servers, leafnode servers, functions, and the file with
// which newcomers find it.
import { join } from 'node:path'
import type { Archipelago } from '../core/archipelago.ts'
import { formatNetworkFile, type NetworkFile } from '../core/access/network-file.ts'
import { openDoors } from '../core/network/access-subject.ts'
import { formatHostPort, formatUrl, type RegionPlace } from '../core/network/endpoint.ts'
import { functionPermissions } from '../core/network/function-permissions.ts'
import type { FunctionUser } from '../core/network/leafnode.ts'
import type { NetworkTrust } from '../core/network/server.ts'
import type { Creds } from '../core/trust/creds.ts'
import type { ServiceUser } from '../core/trust/declare.ts'
import type { Nkey } from '../core/trust/nkey.ts'
import { connectWithCreds, type NatsConnection } from '../nats/connect.ts'
import { bootstrapAll } from '../store/bootstrap.ts'
import { openFiles, readOrRefuse, type Files } from '../store/files.ts'
import { homesOf, type Homes } from '../store/homes.ts'
import { requireKey } from '../store/key-file.ts'
import { renewLeafnodeCredential } from '../store/leafnode.ts'
import type { OperatorHome } from '../store/operator.ts'
import { publicFiles } from '../store/public.ts'
import { functionKeyFile } from '../store/region.ts'
import { functionHome } from '../store/homes.ts'
import { keepServiceCreds, mintServiceCreds } from '../store/service-credential.ts'
import { awaitFunctions } from './await-functions.ts'
import { bundleFunction } from './bundle.ts'
import { planFunctions } from './functions.ts'
import { authorityPaths, runDirectory } from './layout.ts'
import { startSupercluster, type Supercluster } from './supercluster.ts'
import { superviseProcesses, type Supervisor, type UnexpectedExit } from './supervisor.ts'

export interface NetworkOptions {
  readonly archipelago: Archipelago
  readonly archipelagoFile: string
  readonly data: string
  readonly natsServer: string
  readonly onExit?: (exit: UnexpectedExit) => void
  readonly signal?: AbortSignal
}
export interface RunningNetwork extends AsyncDisposable {
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

const functionsDeadlineMs = 10_000
const operatorCredsSeconds = 24 * 3600
const lobbyCredsSeconds = 90 * 24 * 3600

/** Starts all of it and returns when the mesh is whole; after a failure nothing is left running. */
export async function startNetwork(options: NetworkOptions): Promise<RunningNetwork> {
  const { archipelago, archipelagoFile, data, natsServer, onExit = () => {}, signal } = options
  await using started = new AsyncDisposableStack()
  const homes = homesOf(data)
  const files = openFiles()
  const operator = bootstrapAll({ files, homes, archipelago, nowSeconds: nowSeconds() })
  renewLeafnodes(files, { homes, archipelago, operator })
  const bundle = join(homes.run, 'provision-credentials.mjs')
  const bundled = bundleFunction(bundle)
  const connectTo = connector(operator, homes)
  const supercluster = started.use(
    await startSupercluster({
      archipelago,
      data,
      natsServer,
      trust: networkTrust(operator),
      doors: openDoors(archipelago.roles),
      access: { account: 'ACCESS', functions: functionUsers(files, homes, archipelago) },
      observe: (urls) => connectTo('observer', urls),
      onExit,
      ...(signal && { signal }),
    }),
  )
  await bundled
  const { regions } = supercluster
  const functions = started.use(superviseProcesses({ runDirectory: runDirectory(data), onExit }))
  const specs = planFunctions({ archipelago, archipelagoFile, homes, regions, bundle })
  for (const spec of specs) functions.start(spec)
  const access = await connectTo('access-operator', clientUrls(regions))
  const names = specs.map(({ name }) => name)
  await awaitFunctions(access, names, { deadlineMs: functionsDeadlineMs, signal }).finally(() =>
    access.close(),
  )
  const networkFile = writeNetworkFile(files, { homes, archipelago, operator, regions })
  const running = started.move()
  return {
    archipelago,
    homes,
    operator,
    supercluster,
    functions,
    networkFile,
    connectAs: (user, region) => connectTo(user, clientUrls(regions, region)),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

function connector({ store, accounts }: OperatorHome, homes: Homes) {
  const minted = new Map<ServiceUser, Creds>()
  const current = (user: ServiceUser): Creds => {
    const now = nowSeconds()
    const known = minted.get(user)
    if (known !== undefined && (known.user.claims.exp ?? 0) - now > operatorCredsSeconds / 2)
      return known
    const life = { nowSeconds: now, lifetimeSeconds: operatorCredsSeconds }
    const creds = mintServiceCreds({ store, accounts }, user, life)
    minted.set(user, creds)
    return creds
  }
  return (user: ServiceUser, servers: readonly string[]): Promise<NatsConnection> => {
    const ca = readOrRefuse(authorityPaths(homes.data).certificate, 'authority')
    const target = { servers, ca, name: `archipelago ${user}` }
    return connectWithCreds(target, () => current(user))
  }
}

function networkTrust({ operator, accounts }: OperatorHome): NetworkTrust {
  return {
    operatorJwt: operator.text,
    systemAccount: operator.claims.nats.system_account,
    accounts: accounts.map(({ text, claims }) => ({ publicKey: claims.sub, jwt: text })),
  }
}

function functionUsers(
  files: Files,
  homes: Homes,
  { regions, roles }: Archipelago,
): Map<string, FunctionUser[]> {
  const users = regions.map(({ name: region }) => {
    const ofRegion = openDoors(roles).map((door) => {
      const pair = requireKey(files, 'user', functionKeyFile(functionHome(homes, region, door)))
      const nkey = pair.publicKey
      return { publicKey: nkey, ...functionPermissions(door, { region, nkey }) }
    })
    return [region, ofRegion] as const
  })
  return new Map(users)
}

function renewLeafnodes(
  files: Files,
  {
    homes,
    archipelago,
    operator,
  }: { homes: Homes; archipelago: Archipelago; operator: OperatorHome },
): void {
  const access = operator.accounts.find(({ claims }) => claims.name === 'ACCESS')
  const account = access?.claims.sub as Nkey<'account'>
  const { lifetimeSeconds } = archipelago.leafnode
  for (const { name: region } of archipelago.regions)
    renewLeafnodeCredential({ files, homes }, { region, account, lifetimeSeconds }, nowSeconds())
}

interface Written {
  readonly homes: Homes
  readonly archipelago: Archipelago
  readonly operator: OperatorHome
  readonly regions: readonly RegionPlace[]
}

function writeNetworkFile(
  files: Files,
  { homes, archipelago, operator, regions }: Written,
): string {
  const life = { nowSeconds: nowSeconds(), lifetimeSeconds: lobbyCredsSeconds }
  const lobby = keepServiceCreds(operator, 'lobby', life)
  const file: NetworkFile = {
    version: 1,
    network: archipelago.network,
    operator: operator.operator.text,
    ca: readOrRefuse(authorityPaths(homes.data).certificate, 'authority'),
    regions: regions.map((region) => ({
      name: region.name,
      servers: clientUrls([region]),
      https: httpsUrls(region, archipelago),
    })),
    lobbyCreds: files.read(lobby) as string,
  }
  const path = publicFiles.network(homes.public, archipelago.network)
  files.write(path, formatNetworkFile(file))
  return path
}

function clientUrls(regions: readonly RegionPlace[], region?: string): string[] {
  return regions
    .filter(({ name }) => region === undefined || name === region)
    .flatMap(({ servers }) => servers.map(({ client }) => formatUrl(client)))
}

function httpsUrls(
  { doors }: RegionPlace,
  { roles }: Archipelago,
): NetworkFile['regions'][number]['https'] {
  const open = openDoors(roles)
  const urls = doors.flatMap(({ door, https }) =>
    (door === 'lobby' || door === 'invite') && open.includes(door)
      ? [[door, `https://${formatHostPort(https.host, https.port)}/`]]
      : [],
  )
  return Object.fromEntries(urls) as NetworkFile['regions'][number]['https']
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
