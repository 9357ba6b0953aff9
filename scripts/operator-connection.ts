import { parseNetworkFile, type Network } from '../core/access/network-file.ts'
import type { ServiceUser } from '../core/trust/declare.ts'
import { connectWithCreds, type NatsConnection } from '../nats/connect.ts'
import { openFiles, readOrRefuse } from '../store/files.ts'
import { readOperatorHome } from '../store/operator.ts'
import { publicFiles } from '../store/public.ts'
import { mintServiceCreds } from '../store/service-credential.ts'
import { nowSeconds, type Place } from './command.ts'

/** Longer than any command runs. */
const lifetimeSeconds = 24 * 3600

export function readNetwork({ homes, archipelago }: Pick<Place, 'homes' | 'archipelago'>): Network {
  const path = publicFiles.network(homes.public, archipelago.network)
  return parseNetworkFile(readOrRefuse(path, 'network file'))
}

/** Connects one of the operator's users to the running network; his credential lives in memory only. */
export function connectOperator(place: Place, user: ServiceUser): Promise<NatsConnection> {
  const { file } = readNetwork(place)
  const home = readOperatorHome({ files: openFiles(), ...place })
  const servers = file.regions.flatMap((region) => region.servers)
  const target = { servers, ca: file.ca, name: `archipelago ${user}` }
  const creds = mintServiceCreds(home, user, { nowSeconds: nowSeconds(), lifetimeSeconds })
  return connectWithCreds(target, () => creds)
}
