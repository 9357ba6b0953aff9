import { Refusal } from '../../core/errors.ts'
import type { Credential } from '../../requestor/request-credential.ts'
import type { NatsConnection } from '../../nats/connect.ts'
import { exchangeOverNats, type TokenExchange } from '../../requestor/exchange-token.ts'
import { keyFiles, withTokens } from '../core/access/token-example.ts'
import { startTestNetwork, type TestNetwork } from '../test-network.ts'
import { until } from '../until.ts'
import { authorityOf, connectWorkload, mintSvid, workloadUrls } from '../workloads.ts'

/** A network whose functions exchange tokens. */
export function startTokenNetwork(): Promise<TestNetwork> {
  return startTestNetwork(withTokens, keyFiles)
}

/** A requestor dials again where the machine was too busy for the moment that it gives a server. */
export function exchangePatiently(exchange: TokenExchange): Promise<Credential> {
  return until('the lobby is entered', () =>
    exchangeOverNats({ deadlineMs: 20_000, ...exchange }).catch((error: unknown) => {
      if (error instanceof Refusal && isTooLate(error)) return undefined
      throw error
    }),
  )
}

const isTooLate = ({ code, message }: Refusal) =>
  code === 'ERR_CONNECT' && message.endsWith(': timeout')

/** Roles with the door identity are admitted only with a certificate of the mesh. */
export async function connectExchanged(
  { archipelago, homes, supercluster }: TestNetwork,
  { creds, region }: Credential,
): Promise<NatsConnection> {
  const place = { data: homes.data, archipelago }
  const id = `spiffe://${region}.${archipelago.trustDomain}/workload/orders`
  const svid = await mintSvid(id, authorityOf(place, region))
  const own = supercluster.regions.filter(({ name }) => name === region)
  return connectWorkload(place, { servers: workloadUrls(own), svid, creds })
}
