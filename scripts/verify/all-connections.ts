// By which certificate everybody is connected: the servers tell digests, the record of issuance who got
// those certificates.
import type { Archipelago } from '../../core/archipelago.ts'
import {
  judgeConnections,
  type ConnectionFinding,
  type ConnectionReport,
  type ObservedConnection,
} from '../../core/identity/connection-report.ts'
import { callersOfLeafnode, callersOfServer } from '../../core/identity/expected-callers.ts'
import type { RegionPlace } from '../../core/network/endpoint.ts'
import { expectedServers } from '../../core/network/expected.ts'
import { parseRegionKeys } from '../../core/trust/region-keys.ts'
import { findServers } from '../../nats/account-state.ts'
import type { NatsConnection } from '../../nats/connect.ts'
import { observeConnections, observeMonitored } from '../../nats/observe-connections.ts'
import { readOrRefuse } from '../../store/files.ts'
import type { Homes } from '../../store/homes.ts'
import { findIssued } from '../../store/issued.ts'
import { publicFiles, readWithdrawn } from '../../store/public.ts'
import { livePlaces } from './live-places.ts'

export interface AuditedNetwork {
  readonly archipelago: Archipelago
  readonly homes: Homes
  /** Observes the system account. */
  readonly observer: NatsConnection
}

/** A server that does not list its connections is a finding. */
export async function auditConnections(
  network: AuditedNetwork,
  timeoutMs: number,
): Promise<ConnectionReport> {
  const { archipelago, homes, observer } = network
  const regions = livePlaces(archipelago, homes)
  const withdrawn = readWithdrawn(homes)
  const live = await findServers(observer, expectedServers(archipelago, withdrawn))
  const lists = regions.flatMap((region) => [
    ...region.servers.map(({ name }) => ({
      name,
      list: listServer(network, { name, live, region }),
    })),
    ...(region.isCut === true
      ? []
      : [{ name: region.leafnode.name, list: listLeafnode(network, region, timeoutMs) }]),
  ])
  const heard = await Promise.allSettled(lists.map(({ list }) => list))
  const observed = heard.flatMap((each) => (each.status === 'fulfilled' ? each.value : []))
  const silent = lists.filter((_, at) => heard[at]?.status === 'rejected').map(({ name }) => name)
  const digests = new Set(observed.flatMap(({ sha256 }) => sha256 ?? []))
  const names = archipelago.regions.map(({ name }) => name)
  const issued = findIssued(homes, names, digests)
  const report = judgeConnections(observed, { issued, archipelago, withdrawn })
  return { ...report, findings: [...report.findings, ...silent.map(unread)] }
}

interface Asked {
  readonly name: string
  readonly region: RegionPlace
  readonly live: Awaited<ReturnType<typeof findServers>>
}

/** All that answer by this name: one of them would be an impostor. */
async function listServer(
  { archipelago, observer }: AuditedNetwork,
  { name, region, live }: Asked,
): Promise<ObservedConnection[]> {
  const servers = live.filter((server) => server.name === name)
  if (servers.length === 0) throw new Error(`${name} does not answer`)
  const lists = await Promise.all(servers.map(({ id }) => observeConnections(observer, id)))
  return lists.flat().map((each) => {
    const expected = callersOfServer(archipelago, { region: region.name }, each)
    return { ...each, server: name, ...(expected && { expected }) }
  })
}

async function listLeafnode(
  { archipelago, homes }: AuditedNetwork,
  region: RegionPlace,
  timeoutMs: number,
): Promise<ObservedConnection[]> {
  const path = publicFiles.region(homes.public, region.name)
  const keys = parseRegionKeys(readOrRefuse(path, 'region keys'))
  const list = await observeMonitored(region.leafnode.monitor, timeoutMs)
  return list.map((each) => ({
    ...each,
    server: region.leafnode.name,
    expected: callersOfLeafnode(archipelago, { region, keys }, each),
  }))
}

const unread = (server: string): ConnectionFinding => ({
  server,
  misfit: 'silent',
  code: 'ERR_NO_ANSWER',
  message: `${server}: does not list its connections`,
})
