import type { Credential } from '../../requestor/request-credential.ts'
import type { NatsConnection } from '../../nats/connect.ts'
import { keyFiles, withTokens } from '../core/access/token-example.ts'
import { startTestNetwork, type TestNetwork } from '../test-network.ts'
import { authorityOf, connectWorkload, mintSvid, workloadUrls } from '../workloads.ts'

/** A network whose functions exchange tokens. */
export function startTokenNetwork(): Promise<TestNetwork> {
  return startTestNetwork(withTokens, keyFiles)
}

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
