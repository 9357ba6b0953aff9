// The operator's own users: their credentials are minted here and live only in memory.
import type { Creds } from '../../core/trust/creds.ts'
import type { ServiceUser } from '../../core/trust/declare.ts'
import { connectWithCreds, type NatsConnection } from '../../nats/connect.ts'
import { readOrRefuse } from '../../store/files.ts'
import type { Homes } from '../../store/homes.ts'
import type { OperatorHome } from '../../store/operator.ts'
import { mintServiceCreds } from '../../store/service-credential.ts'
import { authorityPaths } from '../layout.ts'
import { nowSeconds } from './now.ts'

const lifetimeSeconds = 24 * 3600

export type ConnectOperator = (
  user: ServiceUser,
  servers: readonly string[],
) => Promise<NatsConnection>

/** Connects one of the operator's users; a reconnect shows a credential that is good by then. */
export function operatorConnector(home: () => OperatorHome, homes: Homes): ConnectOperator {
  const minted = new Map<ServiceUser, Creds>()
  const current = (user: ServiceUser): Creds => {
    const known = minted.get(user)
    if (known !== undefined && isGood(known, home())) return known
    const life = { nowSeconds: nowSeconds(), lifetimeSeconds }
    const creds = mintServiceCreds(home(), user, { ...life, pair: known?.pair })
    minted.set(user, creds)
    return creds
  }
  return (user, servers) => {
    const ca = readOrRefuse(authorityPaths(homes.data).certificate, 'authority')
    const target = { servers, ca, name: `archipelago ${user}` }
    return connectWithCreds(target, () => current(user))
  }
}

function isGood({ user: { claims } }: Creds, { accounts }: OperatorHome): boolean {
  const isPublished = accounts.some((account) =>
    account.claims.nats.signing_keys.some(({ key }) => key === claims.iss),
  )
  return isPublished && (claims.exp ?? 0) - nowSeconds() > lifetimeSeconds / 2
}
