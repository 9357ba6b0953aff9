// What the operator's commands share that reach into a running network: the declared state, and
// connections with credentials that are minted here and live in memory only.
import { parseNetworkFile, type Network } from '../core/access/network-file.ts'
import type { Archipelago } from '../core/archipelago.ts'
import type { ServiceUser } from '../core/trust/declare.ts'
import type { DeclaredState } from '../core/trust/declared-state.ts'
import { operatorConnector } from '../laptop/network/connect-operator.ts'
import type { NatsConnection } from '../nats/connect.ts'
import { readApplied } from '../store/applied.ts'
import { openDeclaredState } from '../store/declared-state.ts'
import { openFiles, readOrRefuse } from '../store/files.ts'
import { readOperatorHome } from '../store/operator.ts'
import { publicFiles } from '../store/public.ts'
import { nowSeconds, type Place } from './command.ts'

type KeptPlace = Pick<Place, 'archipelago' | 'homes'>

export interface OperatorSession {
  readonly archipelago: Archipelago
  readonly state: DeclaredState
  /** To any server of the network file; a connection that is lost is over, unless it may come back. */
  readonly connectAs: (
    user: ServiceUser,
    options?: { readonly reconnect?: boolean },
  ) => Promise<NatsConnection>
}

/** By archipelago.yaml as it was last applied: an edit is not yet what the network is to be. */
export function openOperatorSession({ archipelago: edited, homes }: KeptPlace): OperatorSession {
  const files = openFiles()
  const archipelago = readApplied(files, homes) ?? edited
  const network = () => readNetwork({ homes, archipelago }).file
  const connect = operatorConnector({
    home: () => readOperatorHome({ files, homes, archipelago }),
    ca: () => network().ca,
  })
  return {
    archipelago,
    state: openDeclaredState({ files, homes, archipelago }, nowSeconds),
    connectAs(user, { reconnect = false } = {}) {
      const servers = network().regions.flatMap((region) => region.servers)
      return connect(user, servers, { reconnect })
    },
  }
}

/** What newcomers are given. */
export function readNetwork({ homes, archipelago }: KeptPlace): Network {
  const path = publicFiles.network(homes.public, archipelago.network)
  return parseNetworkFile(readOrRefuse(path, 'network file'))
}
