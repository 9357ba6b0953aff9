// The operator's own users: their credentials are minted here and live only in memory.
import type { Creds } from '../../core/trust/creds.ts'
import type { ServiceUser } from '../../core/trust/declare.ts'
import { serviceLifetimeSeconds } from '../../core/trust/lifetime.ts'
import { connectWithCreds, type NatsConnection } from '../../nats/connect.ts'
import type { OperatorHome } from '../../store/operator.ts'
import { mintServiceCreds } from '../../store/service-credential.ts'
import { nowSeconds } from './now.ts'

/** To any of these servers; refuses where none of them takes it. */
export type ConnectOperator = (
  user: ServiceUser,
  servers: readonly string[],
  options?: { readonly reconnect?: boolean },
) => Promise<NatsConnection>

export interface OperatorSource {
  /** As it is at the moment: its keys may be replaced meanwhile. */
  readonly home: () => OperatorHome
  /** PEM of the authority of the servers. */
  readonly ca: () => string
}

/** Connects one of the operator's users; a reconnect shows a credential that is good by then. */
export function operatorConnector({ home, ca }: OperatorSource): ConnectOperator {
  const minted = new Map<ServiceUser, Creds>()
  const current = (user: ServiceUser): Creds => {
    const known = minted.get(user)
    const operator = home()
    if (known !== undefined && isGood(known, user, operator)) return known
    const creds = mintServiceCreds(operator, user, { nowSeconds: nowSeconds(), pair: known?.pair })
    minted.set(user, creds)
    return creds
  }
  return (user, servers, options = {}) => {
    const target = {
      ...{ servers, name: `archipelago ${user}`, options },
      get ca() {
        return ca()
      },
    }
    return connectWithCreds(target, () => current(user))
  }
}

function isGood(
  { user: { claims } }: Creds,
  user: ServiceUser,
  { accounts }: OperatorHome,
): boolean {
  const isPublished = accounts.some((account) =>
    account.claims.nats.signing_keys.some(({ key }) => key === claims.iss),
  )
  const left = (claims.exp ?? 0) - nowSeconds()
  return isPublished && left > serviceLifetimeSeconds[user] / 2
}
