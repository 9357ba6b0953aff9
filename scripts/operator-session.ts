// What the operator's commands share that reach into a running network: the declared state, and
// connections with credentials that are minted here and live in memory only.
import type { Archipelago } from '../core/archipelago.ts'
import type { Creds } from '../core/trust/creds.ts'
import type { ServiceUser } from '../core/trust/declare.ts'
import type { DeclaredState } from '../core/trust/declared-state.ts'
import { connectWithCreds, type NatsConnection } from '../nats/connect.ts'
import { readApplied } from '../store/applied.ts'
import { openDeclaredState } from '../store/declared-state.ts'
import { openFiles } from '../store/files.ts'
import { readOperatorHome } from '../store/operator.ts'
import { mintServiceCreds } from '../store/service-credential.ts'
import { nowSeconds, type Place } from './command.ts'
import { readNetwork } from './operator-connection.ts'

export interface OperatorSession {
  readonly archipelago: Archipelago
  readonly state: DeclaredState
  /** To any server of the network file, for an hour; refuses when none of them takes it. */
  readonly connectAs: (user: ServiceUser) => Promise<NatsConnection>
}

const lifetimeSeconds = 3600

/** By archipelago.yaml as it was last applied: an edit is not yet what the network is to be. */
export function openOperatorSession({ archipelago: edited, homes }: Place): OperatorSession {
  const files = openFiles()
  const archipelago = readApplied(files, homes) ?? edited
  const mint = (user: ServiceUser): Creds =>
    mintServiceCreds(readOperatorHome({ files, homes, archipelago }), user, {
      nowSeconds: nowSeconds(),
      lifetimeSeconds,
    })
  return {
    archipelago,
    state: openDeclaredState({ files, homes, archipelago }, nowSeconds),
    connectAs(user) {
      const { file } = readNetwork({ homes, archipelago })
      const servers = file.regions.flatMap((region) => region.servers)
      // With reconnecting on, a refused credential would be tried for ever.
      const options = { reconnect: false }
      const target = { servers, ca: file.ca, name: `archipelago ${user}`, options }
      const creds = mint(user)
      return connectWithCreds(target, () => creds)
    },
  }
}
