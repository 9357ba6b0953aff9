// Everything that has to be there before a network can start, home by home.
import { parseRegionKeys, type RegionKeys } from '../core/trust/region-keys.ts'
import { readOrRefuse } from './files.ts'
import { bootstrapOperator, type BootstrapOptions, type OperatorHome } from './operator.ts'
import { publicFiles } from './public.ts'
import { bootstrapRegion } from './region.ts'

/** All homes on one machine, each in its own folder: what the laptop does. */
export function bootstrapAll(options: BootstrapOptions): OperatorHome {
  const regions = options.archipelago.regions.map(({ name }) => bootstrapRegion(options, name))
  return bootstrapOperator(options, regions)
}

/** The operator's home alone: the regions' public keys were adopted from files. */
export function bootstrapOperatorHome(
  options: BootstrapOptions,
  adopted: readonly RegionKeys[],
): OperatorHome {
  const { archipelago, files, homes } = options
  const regions = archipelago.regions.flatMap(({ name }) => {
    const fresh = adopted.find(({ region }) => region === name)
    if (fresh !== undefined) return [fresh]
    const text = files.read(publicFiles.region(homes.public, name))
    return text === undefined ? [] : [parseRegionKeys(text)]
  })
  return bootstrapOperator(options, regions)
}

export function readRegionKeys(file: string): RegionKeys {
  return parseRegionKeys(readOrRefuse(file, "region's public keys"))
}
