// What the parts of a running network share.
import type { AccountBodies } from '../../core/plan/accounts.ts'
import type { Archipelago } from '../../core/archipelago.ts'
import type { Files } from '../../store/files.ts'
import type { Homes } from '../../store/homes.ts'
import type { OperatorHome } from '../../store/operator.ts'
import type { ProcessSpec } from '../process.ts'
import type { Supercluster } from '../supercluster.ts'
import type { Supervisor } from '../supervisor.ts'
import type { ConnectOperator } from './connect-operator.ts'

/** Replaced by an apply. */
export interface CurrentTrust {
  archipelago: Archipelago
  operator: OperatorHome
}

/** An apply writes each field when its step is done, so that the next one goes on after a failure. */
export interface NetworkRuntime {
  readonly homes: Homes
  readonly files: Files
  /** The bundled function. */
  readonly bundle: string
  readonly trust: CurrentTrust
  readonly supercluster: Supercluster
  readonly functions: Supervisor
  readonly connectTo: ConnectOperator
  /** The function processes that run, as they were started. */
  specs: readonly ProcessSpec[]
  /** What servers hold, where the state on disk is ahead because a push has failed. */
  unpushed: AccountBodies | undefined
}
