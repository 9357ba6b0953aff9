// What archipelago.yaml would change: the state is read, its successor computed in a dry run.
import type { Archipelago } from '../../core/archipelago.ts'
import { placeNetwork } from '../../core/network/endpoint.ts'
import {
  makePlan,
  type NetworkState,
  type Plan,
  type ProcessChanges,
} from '../../core/plan/plan.ts'
import { withoutWithdrawn } from '../../core/network/withdrawn.ts'
import { openFiles, type Files } from '../../store/files.ts'
import type { Homes } from '../../store/homes.ts'
import type { OperatorHome } from '../../store/operator.ts'
import { accountBodies, readNetworkState } from '../../store/plan-trust.ts'
import { planFunctions } from '../functions.ts'
import type { ProcessSpec } from '../process.ts'
import { compareFunctions } from './function-changes.ts'
import type { NetworkRuntime } from './runtime.ts'
import { readWithdrawn } from '../../store/public.ts'
import { signTrust } from './sign-trust.ts'
import { networkSource } from './source.ts'

/** Writes nothing: keys that are new to the plan are made for it and forgotten. */
export function planStopped(homes: Homes, archipelago: Archipelago): Plan {
  return draft(homes, archipelago, readNetworkState(homes))
}

/** The same for a network that runs: what happens to each of its processes as well. */
export function planRunning(runtime: NetworkRuntime, archipelago: Archipelago): Plan {
  const { homes, supercluster, specs, unpushed } = runtime
  const state = readNetworkState(homes)
  const before = { ...state, accounts: unpushed ?? state.accounts }
  return draft(homes, archipelago, before, (trust) => ({
    servers: supercluster.preview(networkSource(archipelago, trust)),
    functions: compareFunctions(specs, functionsOf(runtime, archipelago)),
  }))
}

/** The function processes that this archipelago has, but for those that were withdrawn. */
export function functionsOf(
  { homes, bundle }: Pick<NetworkRuntime, 'homes' | 'bundle'>,
  archipelago: Archipelago,
): ProcessSpec[] {
  const places = placeNetwork(archipelago, 'laptop')
  const regions = withoutWithdrawn(archipelago, places, readWithdrawn(homes))
  return planFunctions({ archipelago, homes, regions, bundle })
}

interface Draft {
  readonly files: Files
  readonly homes: Homes
  readonly operator: OperatorHome
}

function draft(
  homes: Homes,
  archipelago: Archipelago,
  before: NetworkState,
  processes?: (trust: Draft) => ProcessChanges,
): Plan {
  // Under another name there is nothing to compare: it would be another operator.
  const { network = archipelago.network } = before.archipelago ?? {}
  if (network !== archipelago.network)
    return makePlan(before, { archipelago, accounts: before.accounts }, undefined)
  const files = openFiles({ isDryRun: true })
  const operator = signTrust({ files, homes }, archipelago)
  const after = { archipelago, accounts: accountBodies(operator.accounts) }
  return makePlan(before, after, processes?.({ files, homes, operator }))
}
