// Everything that `npm start` proves, in the order of its table.
import { readFileSync } from 'node:fs'
import { parseNetworkFile, type Network } from '../../core/access/network-file.ts'
import type { NatsConnection } from '../../nats/connect.ts'
import type { RunningNetwork } from '../network.ts'
import { proveHungFunction, proveOwnFunction, publicRole } from './credentials.ts'
import { proveMesh } from './mesh.ts'
import { connectMember, proveMessage } from './messages.ts'
import type { Proof } from './proof.ts'
import { proveRefusals } from './refusals.ts'
import { proveWorkloads } from './workloads.ts'

/** Tries it all on the running network. A network without a public role has less to show. */
export async function proveNetwork(running: RunningNetwork): Promise<Proof[]> {
  const network = parseNetworkFile(readFileSync(running.networkFile, 'utf8'))
  const role = publicRole(running)
  const mesh = proveMesh(running.supercluster)
  if (role === undefined) return mesh
  const regions = running.archipelago.regions.map(({ name }) => name)
  const answering = regions.filter((region) => running.functions.pids().has(`${region}-lobby`))
  const own = await inTurn(answering, (region) => proveOwnFunction(network, role, region))
  const members = await connectMembers(network, role, regions)
  try {
    const [from, ...others] = regions as [string, ...string[]]
    const heard = await inTurn(others, (to) => proveMessage(members, from, to))
    const member = members.get(from) as NatsConnection
    const refusals = await proveRefusals(running, { network, member })
    const workloads = await proveWorkloads(running, { network, role, members })
    const hung = await proveHungFunctions(running, { network, role, regions: answering })
    return [...mesh, ...own, ...hung, ...heard, ...refusals, ...workloads]
  } finally {
    await Promise.all([...members.values()].map((each) => each.close()))
  }
}

async function connectMembers(
  network: Network,
  role: string,
  regions: readonly string[],
): Promise<Map<string, NatsConnection>> {
  const connected = regions.map(async (region) => {
    const connection = await connectMember(network, { role, name: 'prover', region })
    return [region, connection] as const
  })
  return new Map(await Promise.all(connected))
}

/** One region after the other: with all of them hung there would be nobody to answer. */
function proveHungFunctions(
  running: RunningNetwork,
  { network, role, regions }: { network: Network; role: string; regions: readonly string[] },
): Promise<Proof[]> {
  if (regions.length < 2) return Promise.resolve([])
  return inTurn(regions, (region) => proveHungFunction(running, { network, role, region }))
}

async function inTurn<Item>(
  items: readonly Item[],
  trial: (item: Item) => Promise<Proof>,
): Promise<Proof[]> {
  const proofs: Proof[] = []
  for (const item of items) proofs.push(await trial(item))
  return proofs
}
