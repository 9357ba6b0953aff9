// The function processes of one machine: for every region and open door one.
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { hasMtls } from '../core/access/door.ts'
import type { Archipelago } from '../core/archipelago.ts'
import { formatUrl, type DoorPlace, type RegionPlace } from '../core/network/endpoint.ts'
import { openDoors, type FunctionDoor } from '../core/network/access-subject.ts'
import { functionHome, type Homes } from '../store/homes.ts'
import { leafnodeId } from '../core/identity/names.ts'
import { identityPaths, publicPaths, trustFile } from './layout.ts'
import type { ProcessSpec } from './process.ts'

export interface FunctionPlan {
  readonly archipelago: Archipelago
  readonly homes: Homes
  readonly regions: readonly RegionPlace[]
  /** The bundled function. */
  readonly bundle: string
}

// The function lives on 15 MB; left alone, Node lets garbage grow to 170 MB under load before it looks
// for it, and is no faster for it (docs/benchmarks.md). The Dockerfile says the same.
const memoryBounds = ['--max-semi-space-size=2', '--max-old-space-size=48']

export function functionName(region: string, door: FunctionDoor): string {
  return `${region}-${door}`
}

/** Where a function's audit lines go on this machine. */
export function auditFile(homes: Homes, region: string, door: FunctionDoor): string {
  return join(functionHome(homes, region, door), 'audit.log')
}

/** What has to run for every region's doors, each handed its own keys and no other's; changes nothing. */
export function planFunctions(plan: FunctionPlan): ProcessSpec[] {
  const open = openDoors(plan.archipelago.roles)
  return plan.regions.flatMap((region) =>
    open.flatMap((door) => {
      const place = region.doors.find((each) => each.door === door)
      return place === undefined ? [] : [functionProcess(plan, region, { place, door })]
    }),
  )
}

function functionProcess(
  { archipelago, homes, bundle }: FunctionPlan,
  region: RegionPlace,
  { place, door }: { place: DoorPlace; door: FunctionDoor },
): ProcessSpec {
  const keys = functionHome(homes, region.name, door)
  const identity = identityPaths(homes.data, place)
  const outside = publicPaths(homes.data, place)
  const audit = auditFile(homes, region.name, door)
  return {
    name: functionName(region.name, door),
    command: process.execPath,
    args: [...memoryBounds, bundle, region.name, door],
    mark: bundle,
    log: audit,
    env: {
      PATH: process.env['PATH'],
      MALLOC_ARENA_MAX: '1',
      NODE_COMPILE_CACHE: join(dirname(bundle), 'compiled'),
      ARCHIPELAGO_REGION: region.name,
      ARCHIPELAGO_DOOR: door,
      AUDIT_FILE: audit,
      ARCHIPELAGO_PUBLIC: homes.public,
      ARCHIPELAGO_KEYS: keys,
      NATS_URL: formatUrl(region.leafnode.client),
      NATS_CA: trustFile(homes.data, region.name),
      NATS_CERT: identity.certificate,
      NATS_KEY: identity.key,
      NATS_PEER: leafnodeId(archipelago, region.leafnode),
      HTTPS_HOST: place.https.listen,
      HTTPS_PORT: String(place.https.port),
      HTTPS_CERT: outside.certificate,
      HTTPS_KEY: outside.key,
      ...(hasMtls(door) && {
        MTLS_HOST: place.mtls.listen,
        MTLS_PORT: String(place.mtls.port),
      }),
    },
  }
}

/** Before a function starts: it does not make the folder of its audit. */
export function prepareFunction({ log: path }: ProcessSpec): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
}
