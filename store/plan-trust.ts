// What signing archipelago.yaml would change of what was signed before: its successor is made in
// memory, with keys that are forgotten.
import type { AccountBodies } from '../core/plan/accounts.ts'
import { requireAgreed } from '../core/plan/agreement.ts'
import { makePlan, type NetworkState, type Plan } from '../core/plan/plan.ts'
import type { AccountJwt } from '../core/trust/account.ts'
import { readApplied, readPublishedAccounts } from './applied.ts'
import { bootstrapHomes, type Bootstrapped, type WantedHomes } from './bootstrap.ts'
import { openFiles, type FileChange } from './files.ts'
import type { Homes } from './homes.ts'
import type { BootstrapOptions } from './operator.ts'

export interface TrustPlan {
  /** Where the operator's home is here: nobody else signs. */
  readonly plan?: Plan
  readonly bootstrapped: Bootstrapped
  readonly changes: readonly FileChange[]
}
export type Signing = Omit<BootstrapOptions, 'files'>

/** Writes nothing, and says nothing of processes; refuses another network than the one that is there. */
export function planTrust(signing: Signing, wanted: WantedHomes): TrustPlan {
  const { homes, archipelago } = signing
  const before = readNetworkState(homes)
  const unchanged = { archipelago, accounts: before.accounts }
  requireAgreed(makePlan(before, unchanged, noProcesses))
  const files = openFiles({ isDryRun: true })
  const bootstrapped = bootstrapHomes({ ...signing, files }, wanted)
  const { operator } = bootstrapped
  if (operator === undefined) return { bootstrapped, changes: files.changes }
  const after = { archipelago, accounts: accountBodies(operator.accounts) }
  return { plan: makePlan(before, after, noProcesses), bootstrapped, changes: files.changes }
}

const noProcesses = { servers: [], functions: [] }

/** Refuses what withdraws something, unless that plan was agreed to; the first signing needs nobody. */
export function requireTrustAgreed(signing: Signing, wanted: WantedHomes, agreed?: string): void {
  if (readPublishedAccounts(openFiles(), signing.homes).length === 0) return
  const { plan } = planTrust(signing, wanted)
  if (plan !== undefined) requireAgreed(plan, agreed)
}

/** What was applied and published last. */
export function readNetworkState(homes: Homes): NetworkState {
  const files = openFiles()
  return {
    archipelago: readApplied(files, homes),
    accounts: accountBodies(readPublishedAccounts(files, homes)),
  }
}

export function accountBodies(accounts: readonly AccountJwt[]): AccountBodies {
  return new Map(accounts.map(({ claims }) => [claims.name as string, claims.nats]))
}
