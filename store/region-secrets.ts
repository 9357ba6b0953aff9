// The keys of a region as the Secrets of its cluster hold them, one for each process that reads keys: the
// files of that process' folder, of which a Secret cannot hold the '/'.
import { join, relative } from 'node:path'
import type { Archipelago } from '../core/archipelago.ts'
import { Refusal } from '../core/errors.ts'
import { openDoors, type FunctionDoor } from '../core/network/access-subject.ts'
import type { RegionKeys } from '../core/trust/region-keys.ts'
import { openFiles } from './files.ts'
import { functionHome, homesOf, leafnodeHome, monitorHome } from './homes.ts'
import { readOrMakeKey } from './key-file.ts'
import { monitorSigningKey } from './key-paths.ts'
import { bootstrapRegion } from './region.ts'

/** Text by key, of one Secret. */
export type SecretData = Readonly<Record<string, string>>

export interface MadeKeys {
  readonly keys: RegionKeys
  /** By name: all that each Secret is to hold, what it held before among it, to the letter. */
  readonly secrets: ReadonlyMap<string, SecretData>
}

/** Which Secrets a region has. */
export function regionSecretNames({ roles }: Pick<Archipelago, 'roles'>): string[] {
  return ['leafnode', 'monitor', ...openDoors(roles).map((door) => `function-${door}`)]
}

/**
 * Makes the keys that the Secrets lack, in memory: nothing is written here. Refuses what is no key where one
 * has to be: made anew, its public half would be unknown to the operator.
 */
export function makeRegionKeys(
  archipelago: Archipelago,
  region: string,
  held: ReadonlyMap<string, SecretData>,
): MadeKeys {
  const files = openFiles({ isDryRun: true })
  // No such folder is there: a dry run reads what is on disk where nothing was written yet.
  const homes = homesOf(join('/nonexistent', 'archipelago'))
  const folders = secretFolders(homes, archipelago, region)
  for (const [name, folder] of folders)
    for (const [key, text] of Object.entries(held.get(name) ?? {}))
      files.write(join(folder, pathOf(key)), text)
  const monitor = readOrMakeKey(files, 'account', monitorSigningKey(monitorHome(homes, region)))
  const own = bootstrapRegion({ files, homes, archipelago }, region)
  const keys = { ...own, monitor: [monitor.publicKey] }
  const written = new Set(files.changes.map(({ path }) => path))
  const secrets = [...folders].map(([name, folder]) => {
    const inFolder = [...written].filter((path) => path.startsWith(`${folder}/`))
    const data = inFolder.map(
      (path) => [keyOf(relative(folder, path)), files.read(path) ?? ''] as const,
    )
    return [name, Object.fromEntries(data)] as const
  })
  requireKept(held, new Map(secrets))
  return { keys, secrets: new Map(secrets) }
}

function secretFolders(
  homes: ReturnType<typeof homesOf>,
  { roles }: Archipelago,
  region: string,
): Map<string, string> {
  const folders = openDoors(roles).map(
    (door) => [`function-${door}`, functionHome(homes, region, door)] as const,
  )
  return new Map([
    ['leafnode', leafnodeHome(homes, region)],
    ['monitor', monitorHome(homes, region)],
    ...folders,
  ])
}

const pathOf = (key: string) => key.replace(/^signing\./, 'signing/')
const keyOf = (path: string) => path.replace(/^signing\//, 'signing.')

/** What is replaced is lost for good, and with it what was signed by it. */
function requireKept(
  held: ReadonlyMap<string, SecretData>,
  made: ReadonlyMap<string, SecretData>,
): void {
  for (const [name, data] of held)
    for (const [key, text] of Object.entries(data))
      if (made.has(name) && made.get(name)?.[key] !== text)
        throw new Refusal('ERR_SECRET_SPOILT', `would be replaced: key ${key} of Secret ${name}`)
}

/** The keys that the Secret of a door's function holds; none that only replace another for a while. */
export function secretKeys({ roles }: Pick<Archipelago, 'roles'>, door: FunctionDoor): string[] {
  const ofDoor = roles.filter(({ doors }) => doors.includes(door))
  return [
    'function.nk',
    ...ofDoor.map(({ name }) => `signing.${name}.nk`),
    ...(door === 'identity' ? ['token.key'] : []),
  ]
}

/** Where a key of a Secret is mounted, below the folder of its process. */
export const mountedAt = pathOf
