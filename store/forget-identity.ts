// A process that comes back after its identity was withdrawn comes back with keys that nobody has seen.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { leafnodeHome, regionHome, type Homes } from './homes.ts'
import { leafnodeCredsFile } from './leafnode.ts'

/**
 * Deletes what a process proves itself by; what is missing is made anew at its next start. Of a region
 * that has its home elsewhere nothing is here.
 */
export function forgetIdentity(
  homes: Homes,
  { region, name, isLeafnode }: { region: string; name: string; isLeafnode: boolean },
): void {
  const tls = join(regionHome(homes, region), 'tls', name)
  const paths = [`${tls}.key`, `${tls}.crt`]
  const leafnode = [join(leafnodeHome(homes, region), 'user.nk'), leafnodeCredsFile(homes, region)]
  for (const path of [...paths, ...(isLeafnode ? leafnode : [])]) rmSync(path, { force: true })
}
