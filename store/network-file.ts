// The one public file that a newcomer needs, made anew from what is published.
import {
  formatNetworkFile,
  parseNetworkFile,
  type NetworkFile,
  type NetworkRegion,
} from '../core/access/network-file.ts'
import type { CurveKey } from '../core/access/curve-key.ts'
import { Refusal } from '../core/errors.ts'
import { serviceLifetimeSeconds } from '../core/trust/lifetime.ts'
import type { Nkey } from '../core/trust/nkey.ts'
import { parseRegionKeys } from '../core/trust/region-keys.ts'
import { parseTokenKey, signTokenKey } from '../core/trust/token-key.ts'
import { rootsFile } from './authority-files.ts'
import { readOrRefuse } from './files.ts'
import { operatorSigner, type BootstrapOptions, type OperatorHome } from './operator.ts'
import { publicFiles } from './public.ts'
import { keepServiceCreds } from './service-credential.ts'

/** Hands back its path. */
export function writeNetworkFile(
  place: BootstrapOptions,
  operator: OperatorHome,
  regions: readonly Omit<NetworkRegion, 'tokenKey'>[],
): string {
  const { files, homes, archipelago, nowSeconds } = place
  const lobby = keepServiceCreds(operator, 'lobby', nowSeconds)
  const root = rootsFile(homes.public, 'public')
  const file: NetworkFile = {
    version: 1,
    network: archipelago.network,
    operator: operator.operator.text,
    ca: files.read(root) ?? readOrRefuse(root, 'public root'),
    regions: regions.map((region) => ({ ...region, ...tokenKeyOf(place, operator, region.name) })),
    lobbyCreds: files.read(lobby) ?? readOrRefuse(lobby, 'lobby credential'),
  }
  const path = publicFiles.network(homes.public, archipelago.network)
  files.write(path, formatNetworkFile(file))
  return path
}

/** Where the region has the door identity. */
function tokenKeyOf(
  { files, homes, archipelago, nowSeconds }: BootstrapOptions,
  { store, operator }: OperatorHome,
  region: string,
): { tokenKey?: string } {
  const keys = files.read(publicFiles.region(homes.public, region))
  const curve = keys === undefined ? undefined : parseRegionKeys(keys).doors.identity?.tokenKey
  if (curve === undefined) return {}
  const of = { operator, region, nowSeconds: nowSeconds + serviceLifetimeSeconds.lobby / 2 }
  const known = knownTokenKey(
    files.read(publicFiles.network(homes.public, archipelago.network)),
    region,
  )
  if (known !== undefined && isOf(curve, known, of)) return { tokenKey: known }
  const key = signTokenKey(operatorSigner(store, operator), {
    ...{ operator: operator.claims.sub as Nkey<'operator'>, region, curve, nowSeconds },
    expiresAtSeconds: nowSeconds + serviceLifetimeSeconds.lobby,
  })
  return { tokenKey: key.text }
}

/** Of a file that cannot be read there is none. */
function knownTokenKey(text: string | undefined, region: string): string | undefined {
  try {
    const regions = text === undefined ? [] : parseNetworkFile(text).file.regions
    return regions.find(({ name }) => name === region)?.tokenKey
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

/** Not past half of its life, so that a file that is made again is the same to the letter. */
function isOf(curve: CurveKey, text: string, of: Parameters<typeof parseTokenKey>[1]): boolean {
  try {
    return parseTokenKey(text, of) === curve
  } catch (error) {
    if (error instanceof Refusal) return false
    throw error
  }
}
