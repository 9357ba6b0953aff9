// Everything that has to be there before a network can start, home by home.
import { Refusal } from '../core/errors.ts'
import { requireRegion } from '../core/known-region.ts'
import { quote } from '../core/quote.ts'
import { requireUnclaimed } from '../core/trust/adopt.ts'
import { parseRegionKeys, type RegionKeys } from '../core/trust/region-keys.ts'
import { readOrRefuse } from './files.ts'
import { openNscStore, readOperatorText } from './nsc.ts'
import {
  bootstrapOperator,
  readAccounts,
  type BootstrapOptions,
  type OperatorHome,
  type TrustPlace,
} from './operator.ts'
import { publicFiles } from './public.ts'
import { bootstrapRegion, regionKeysFile } from './region.ts'
import { keepPublicCreds } from './service-credential.ts'

/** The home of the operator among the homes, which are else those of regions. */
export const operatorHomeName = 'operator'

export interface WantedHomes {
  /** `operator` or regions; without it all that have no home elsewhere. */
  readonly homes?: readonly string[]
  /** Public keys of regions whose home is elsewhere. */
  readonly adopted?: readonly RegionKeys[]
}
export interface Bootstrapped {
  /** Where the operator's home is here. */
  readonly operator?: OperatorHome
  /** The regions of which keys are known, and whether they have their home here. */
  readonly regions: readonly BootstrappedRegion[]
}
export interface BootstrappedRegion {
  readonly name: string
  readonly home: 'here' | 'elsewhere' | 'unknown'
  readonly keys?: RegionKeys
}

/** All homes on one machine, each in its own folder: what the laptop does. */
export function bootstrapAll(options: BootstrapOptions): OperatorHome {
  const regions = options.archipelago.regions.map(({ name }) => bootstrapRegion(options, name))
  return bootstrapOperator(options, regions)
}

/** Makes what is missing in the homes that are here; what is known of the others is adopted. */
export function bootstrapHomes(options: BootstrapOptions, wanted: WantedHomes): Bootstrapped {
  const { archipelago } = options
  const { adopted = [] } = wanted
  const here = homesHere(options, wanted)
  for (const keys of adopted) requireAdoptable(options, { keys, here, adopted })
  const regions = archipelago.regions.map(({ name }): BootstrappedRegion => {
    if (here.has(name)) return { name, home: 'here', keys: bootstrapRegion(options, name) }
    const keys = adopted.find(({ region }) => region === name) ?? readPublished(options, name)
    return keys === undefined ? { name, home: 'unknown' } : { name, home: 'elsewhere', keys }
  })
  if (!here.has(operatorHomeName)) return { regions }
  const known = regions.flatMap(({ keys }) => keys ?? [])
  const operator = bootstrapOperator(options, known)
  keepPublicCreds(operator, options.nowSeconds)
  return { operator, regions }
}

/** Refuses a file that is not exactly one region's public keys. */
export function readRegionKeys(file: string): RegionKeys {
  return parseRegionKeys(readOrRefuse(file, "region's public keys"))
}

function homesHere(options: BootstrapOptions, { homes, adopted = [] }: WantedHomes): Set<string> {
  const all = [operatorHomeName, ...options.archipelago.regions.map(({ name }) => name)]
  const isAdopted = (home: string): boolean => adopted.some(({ region }) => region === home)
  const isHere = (home: string): boolean => hasHome(options, home) || !isAdopted(home)
  const here = all.filter((home) => isHere(home) && !isElsewhere(options, home))
  if (homes === undefined) return requireSome(here, options)
  for (const home of homes) {
    if (!all.includes(home))
      throw new Refusal('ERR_REGION_UNKNOWN', `unknown home: ${quote(home)} (${all.join(', ')})`)
    // A region's own machine may make its keys anew; the operator's would put them in place of those.
    const isTaken = home === operatorHomeName || here.includes(operatorHomeName)
    if (isTaken && isElsewhere(options, home))
      throw new Refusal('ERR_HOME_ELSEWHERE', `the home of ${home} is elsewhere: it is published`)
  }
  return new Set(homes)
}

function requireSome(homes: readonly string[], { homes: { data } }: BootstrapOptions): Set<string> {
  if (homes.length > 0) return new Set(homes)
  throw new Refusal('ERR_HOME_ELSEWHERE', `every home of this network is elsewhere than ${data}`)
}

/** What is published and has no files here was made in another place. */
function isElsewhere(options: BootstrapOptions, home: string): boolean {
  const { files, homes } = options
  const published =
    home === operatorHomeName
      ? publicFiles.operator(homes.public)
      : publicFiles.region(homes.public, home)
  return files.read(published) !== undefined && !hasHome(options, home)
}

/** Whether the keys of this home are on this machine. */
export function hasHome({ files, homes, archipelago }: TrustPlace, home: string): boolean {
  if (home !== operatorHomeName) return files.read(regionKeysFile(homes, home)) !== undefined
  return readOperatorText(openNscStore(files, homes, archipelago.network)) !== undefined
}

function requireAdoptable(
  options: BootstrapOptions,
  {
    keys,
    here,
    adopted,
  }: { keys: RegionKeys; here: ReadonlySet<string>; adopted: readonly RegionKeys[] },
): void {
  const { region } = keys
  const names = options.archipelago.regions.map(({ name }) => name)
  requireRegion(options.archipelago.regions, region)
  if (here.has(region))
    throw new Refusal('ERR_HOME_HERE', `region ${region} has its home here: nothing to adopt`)
  if (!here.has(operatorHomeName))
    throw new Refusal('ERR_HOME_ELSEWHERE', `only the operator adopts: its home is not wanted here`)
  const others = names
    .filter((name) => name !== region)
    .flatMap(
      (name) => adopted.find((each) => each.region === name) ?? readKnown(options, name) ?? [],
    )
  requireUnclaimed(keys, { regions: others, accounts: readAccounts(options) })
}

function readKnown(options: BootstrapOptions, region: string): RegionKeys | undefined {
  const text = options.files.read(regionKeysFile(options.homes, region))
  return text === undefined ? readPublished(options, region) : parseRegionKeys(text)
}

function readPublished({ files, homes }: BootstrapOptions, region: string): RegionKeys | undefined {
  const text = files.read(publicFiles.region(homes.public, region))
  return text === undefined ? undefined : parseRegionKeys(text)
}
