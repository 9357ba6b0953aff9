// A region's home: the keys that are born here and stay here, and their public halves.
import { join } from 'node:path'
import type { Archipelago } from '../core/archipelago.ts'
import { openDoors } from '../core/network/access-subject.ts'
import type { Nkey } from '../core/trust/nkey.ts'
import { formatRegionKeys, type RegionKeys } from '../core/trust/region-keys.ts'
import type { Files } from './files.ts'
import { functionHome, leafnodeHome, regionHome, type Homes } from './homes.ts'
import { readKey, readOrMakeKey } from './key-file.ts'
import { readOrMakeTokenKey } from './token-key.ts'
import {
  functionKeyFile,
  leafnodeSigningKey,
  signingKey,
  tokenKeyFile,
  type RotatedKey,
} from './key-paths.ts'

/** Makes the keys that are missing in this region's home; hands out the public halves of all. */
export function bootstrapRegion(
  { files, homes, archipelago }: { files: Files; homes: Homes; archipelago: Archipelago },
  region: string,
): RegionKeys {
  const leafnode = leafnodeHome(homes, region)
  const keys: RegionKeys = {
    region,
    leafnode: publishedKeys(files, leafnodeSigningKey(leafnode)),
    leafnodeUser: readOrMakeKey(files, 'user', join(leafnode, 'user.nk')).publicKey,
    doors: {},
  }
  for (const door of openDoors(archipelago.roles)) {
    const folder = functionHome(homes, region, door)
    const ofDoor = archipelago.roles.filter((role) => role.doors.includes(door))
    keys.doors[door] = {
      nkey: readOrMakeKey(files, 'user', functionKeyFile(folder)).publicKey,
      signingKeys: Object.fromEntries(
        ofDoor.map(({ name }) => [name, publishedKeys(files, signingKey(folder, name))]),
      ),
      ...(door === 'identity' && {
        tokenKey: readOrMakeTokenKey(files, tokenKeyFile(folder)).publicKey,
      }),
    }
  }
  files.write(regionKeysFile(homes, region), formatRegionKeys(keys))
  return keys
}

export function regionKeysFile(homes: Homes, region: string): string {
  return join(regionHome(homes, region), 'public.json')
}

/** In an order that does not change when the next key takes the current one's place. */
function publishedKeys(files: Files, { current, next, previous }: RotatedKey): Nkey<'account'>[] {
  const others = [next, previous].map((path) => readKey(files, 'account', path)?.publicKey)
  const first = readOrMakeKey(files, 'account', current).publicKey
  return [...new Set([first, ...others.filter((key) => key !== undefined)])].toSorted()
}
