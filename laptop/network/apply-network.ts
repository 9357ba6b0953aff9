// Carries out a plan: trust at once and everywhere, then the processes, in an order that leaves each
// region answered. What failed in the middle is done by the next apply.
import type { Archipelago } from '../../core/archipelago.ts'
import type { AccountBodies } from '../../core/plan/accounts.ts'
import type { ProcessChange } from '../../core/network/change.ts'
import { requireAgreed } from '../../core/plan/agreement.ts'
import type { Plan } from '../../core/plan/plan.ts'
import { openFiles } from '../../store/files.ts'
import type { Homes } from '../../store/homes.ts'
import { readNetworkState } from '../../store/plan-trust.ts'
import { withTrustLock } from '../../store/trust-lock.ts'
import { deleteWithdrawnKeys } from '../../store/withdrawn.ts'
import { renewLeafnodes } from './leafnodes.ts'
import { clientUrls, writeNetworkFile } from './network-file.ts'
import { functionsOf, planRunning, planStopped } from './plan-network.ts'
import { pushOrRefuse } from './push.ts'
import { awaitAllFunctions, replaceFunctions, stopFunctions } from './run-functions.ts'
import type { NetworkRuntime } from './runtime.ts'
import { signTrust } from './sign-trust.ts'
import { networkSource } from './source.ts'

export interface Edit {
  readonly archipelago: Archipelago
  /** Digest of the plan that somebody agreed to. */
  readonly agreed?: string | undefined
}
type Report = (line: string) => void

export interface Applied {
  readonly plan: Plan
  /** What was seen afterwards; nothing where no process runs. */
  readonly verified: readonly string[]
}

export interface Followed {
  /** What became of them. */
  readonly servers: readonly ProcessChange[]
}

/** Writes the trust of a network that does not run; its processes take the rest when they start. */
export function applyStopped(homes: Homes, edit: Edit, report: Report): Applied {
  const { archipelago, agreed } = edit
  const plan = planStopped(homes, archipelago)
  requireAgreed(plan, agreed)
  const files = openFiles()
  withTrustLock(homes, () => signTrust({ files, homes }, archipelago))
  deleteKeys(homes, archipelago, report)
  return { plan, verified: [] }
}

/** Refuses what is impossible, and what asks unless this very plan was agreed to. */
export async function applyRunning(
  runtime: NetworkRuntime,
  edit: Edit,
  report: Report,
): Promise<Applied> {
  const plan = planRunning(runtime, edit.archipelago)
  requireAgreed(plan, edit.agreed)
  await changeTrust(runtime, edit.archipelago, report)
  await changeProcesses(runtime, report)
  writeNetworkFile(runtime)
  deleteKeys(runtime.homes, edit.archipelago, report)
  return { plan, verified: await verify(runtime) }
}

/** Without an edit: processes whose identities were withdrawn go, those that were reinstated come. */
export async function followDenyList(runtime: NetworkRuntime, report: Report): Promise<Followed> {
  await changeTrust(runtime, runtime.trust.archipelago, report)
  const changes = await changeProcesses(runtime, report)
  writeNetworkFile(runtime)
  return { servers: changes.filter(({ effect }) => effect !== 'none') }
}

/** The state first, what functions go by in it, then the servers. */
async function changeTrust(
  runtime: NetworkRuntime,
  archipelago: Archipelago,
  report: Report,
): Promise<void> {
  const { files, homes, trust } = runtime
  const before = (runtime.unpushed ??= readNetworkState(homes).accounts)
  const operator = withTrustLock(homes, () => signTrust({ files, homes }, archipelago))
  trust.operator = operator
  renewLeafnodes({ files, homes, archipelago, operator })
  await pushChanged(runtime, before, report)
  runtime.unpushed = undefined
  trust.archipelago = archipelago
}

async function pushChanged(
  { trust: { operator: home }, supercluster, connectTo }: NetworkRuntime,
  before: AccountBodies,
  report: Report,
): Promise<void> {
  const changed = home.accounts.filter(
    ({ claims }) =>
      JSON.stringify(before.get(claims.name as string)) !== JSON.stringify(claims.nats),
  )
  if (changed.length === 0) return
  const { regions } = supercluster
  const expectedServers = regions.flatMap(({ servers }) => servers.map(({ name }) => name))
  await using connection = await connectTo('pusher', clientUrls(regions))
  const accounts = changed.map(({ text }) => text)
  await pushOrRefuse(connection, { operator: home.operator, accounts, expectedServers })
  const names = changed.map(({ claims }) => claims.name).join(', ')
  report(`${expectedServers.length} servers run the new ${names}`)
}

/** Functions end before their servers go, and start after their servers have come. */
async function changeProcesses(runtime: NetworkRuntime, report: Report): Promise<ProcessChange[]> {
  const { files, homes, trust, supercluster } = runtime
  const { archipelago, operator } = trust
  const specs = functionsOf(runtime, archipelago)
  await stopFunctions(runtime, specs, report)
  const source = networkSource(archipelago, { files, homes, operator })
  const changes = await supercluster.apply(source, report)
  await replaceFunctions(runtime, { specs, archipelago }, report)
  return changes
}

/** The mesh was awaited with every server's configuration; the functions are asked once more. */
async function verify(runtime: NetworkRuntime): Promise<string[]> {
  await awaitAllFunctions(runtime)
  const { regions } = runtime.supercluster
  const servers = regions.flatMap((region) => region.servers).length
  return [
    `${servers} servers and ${regions.length} leafnode servers are one mesh, each with its configuration`,
    `${runtime.specs.length} functions answer`,
  ]
}

function deleteKeys(homes: Homes, archipelago: Archipelago, report: Report): void {
  const deleted = withTrustLock(homes, () => deleteWithdrawnKeys(homes, archipelago))
  if (deleted.length > 0) report(`${deleted.length} files of withdrawn keys deleted`)
}
