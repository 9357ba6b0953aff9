// One nats-server, one function process, and whoever asks: what is left of the network when the
// leafnodes and gateways are taken away.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { AccessDoor } from '../core/network/access-subject.ts'
import { placeNetwork, type DoorPlace, type RegionPlace } from '../core/network/endpoint.ts'
import { functionPermissions } from '../core/network/function-permissions.ts'
import type { NkeyPair } from '../core/trust/nkey.ts'
import type { OperatorJwt } from '../core/trust/operator.ts'
import { planFunctions } from '../laptop/functions.ts'
import { ensureCertificates } from '../laptop/identity/certificates.ts'
import { functionHolder, leafnodeHolder } from '../laptop/identity/holders.ts'
import { leafnodeTarget } from '../laptop/identity/leafnode-target.ts'
import { identityPaths } from '../laptop/layout.ts'
import type { ProcessSpec } from '../laptop/process.ts'
import { connectWithNkey, type NatsConnection } from '../nats/connect.ts'
import { bootstrapAll } from '../store/bootstrap.ts'
import { openFiles } from '../store/files.ts'
import { functionHome, homesOf, type Homes } from '../store/homes.ts'
import { makeNkeyPair, requireKey } from '../store/key-file.ts'
import { functionKeyFile } from '../store/key-paths.ts'
import { startTestServer } from '../tests/test-server.ts'
import { claimPlace, type Place } from './place.ts'

/** Trust and certificates, from which any number of plain networks can be started. */
export interface PlainTrust {
  readonly place: Place
  readonly homes: Homes
  readonly operator: OperatorJwt
  readonly region: RegionPlace
  readonly door: AccessDoor
}

export interface PlainNetwork extends AsyncDisposable {
  readonly operator: OperatorJwt
  readonly serverPid: number
  /** What has to be started for a function of this bundle to answer here. */
  planFunction(bundle: string): ProcessSpec
  /** As somebody who may ask and hear everything. */
  connect(): Promise<NatsConnection>
}

const host = '127.0.0.1'

/** The door legacy is opened only where it is asked for: each role's keys make all answers longer. */
export async function makePlainTrust(folder: string, door: AccessDoor): Promise<PlainTrust> {
  const place = await claimPlace(folder, { isLegacyOpen: door === 'legacy' })
  const { archipelago } = place
  const homes = homesOf(join(folder, 'data'))
  const nowSeconds = Math.floor(Date.now() / 1000)
  const { operator } = bootstrapAll({ files: openFiles(), homes, archipelago, nowSeconds })
  const region = placeNetwork(archipelago, 'laptop')[0] as RegionPlace
  const holders = [
    leafnodeHolder(archipelago, region.leafnode),
    functionHolder(archipelago, doorOf(region, door)),
  ]
  await ensureCertificates({ homes, archipelago, nowMs: Date.now() }, holders)
  return { place, homes, operator, region, door }
}

export async function startPlainNetwork(trust: PlainTrust): Promise<PlainNetwork> {
  const { homes, operator, region } = trust
  const { certificate, key } = identityPaths(homes.data, region.leafnode)
  const requestor = makeNkeyPair('user')
  const users = [functionUser(trust), { nkey: requestor.publicKey }]
  const server = await startTestServer({
    tls: { cert_file: certificate, key_file: key },
    authorization: { users },
  })
  const port = Number(/:(\d+)$/.exec(server.url)?.[1])
  const client = { host, listen: host, port }
  return {
    operator,
    serverPid: pidOf(server.folder),
    planFunction: (bundle) =>
      planFunction(trust, { ...region, leafnode: { ...region.leafnode, client } }, bundle),
    connect: () => connectAs(trust, requestor, `tls://${host}:${port}`),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

const doorOf = ({ doors }: RegionPlace, wanted: AccessDoor) =>
  doors.find(({ door }) => door === wanted) as DoorPlace

/** With the permissions that it has at its leafnode server. */
function functionUser({ homes, region: { name }, door }: PlainTrust) {
  const file = functionKeyFile(functionHome(homes, name, door))
  const nkey = requireKey(openFiles(), 'user', file).publicKey
  const { publish, subscribe } = functionPermissions(door, { region: name, nkey })
  return { nkey, permissions: { publish, subscribe } }
}

/** As the laptop plans it, but for its HTTPS door, whose port another network may hold. */
function planFunction(
  { place, homes, door }: PlainTrust,
  region: RegionPlace,
  bundle: string,
): ProcessSpec {
  const specs = planFunctions({ ...place, homes, regions: [region], bundle })
  const spec = specs.find(({ args }) => args.includes(door)) as ProcessSpec
  return { ...spec, env: { ...spec.env, HTTPS_PORT: undefined } }
}

/** By the function's way in, for there is one server for all. */
function connectAs(
  { place: { archipelago }, homes, region, door }: PlainTrust,
  pair: NkeyPair<'user'>,
  url: string,
): Promise<NatsConnection> {
  const target = leafnodeTarget({ archipelago, homes, region, place: doorOf(region, door) })
  return connectWithNkey({ ...target, servers: [url], name: 'archipelago bench' }, pair)
}

/** nats-server names its ports file after itself. */
function pidOf(folder: string): number {
  const file = readdirSync(folder).find((name) => name.endsWith('.ports')) ?? ''
  return Number(/_(\d+)\.ports$/.exec(join(folder, file))?.[1])
}
