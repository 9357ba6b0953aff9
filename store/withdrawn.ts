// Keys that no account publishes any more. They are deleted, so that a region or role that comes
// back under an old name does not bring an old key or authority back to life.
import { readdirSync, rmSync, type Dirent } from 'node:fs'
import { basename, join } from 'node:path'
import type { Archipelago } from '../core/archipelago.ts'
import { functionDoors } from '../core/network/access-subject.ts'
import { Refusal } from '../core/errors.ts'
import { allKinds } from '../core/identity/authority.ts'
import type { Certificate } from '../core/identity/certificate.ts'
import { intermediatesFile, readIntermediates } from './authority-files.ts'
import { openFiles } from './files.ts'
import { functionHome, regionHome, type Homes } from './homes.ts'
import { publicFiles } from './public.ts'
import { regionKeysFile } from './region.ts'
import { recordWithdrawn } from './withdrawn-authorities.ts'

/** Deletes them on this machine; audit lines and logs stay. Hands back the paths. */
export function deleteWithdrawnKeys(homes: Homes, archipelago: Archipelago): string[] {
  const names = archipelago.regions.map(({ name }) => name)
  const gone = publishedRegions(homes).filter((region) => !names.includes(region))
  for (const region of gone) recordAuthorities(homes, region)
  const paths = [
    ...publishedRegions(homes).flatMap((region) =>
      names.includes(region) ? withdrawnRoles(homes, region, archipelago) : allKeys(homes, region),
    ),
  ]
  for (const path of paths) rmSync(path, { force: true })
  return paths
}

/** Gone from git they would come back with an older copy of it, and its key may be anywhere. */
function recordAuthorities(homes: Homes, region: string): void {
  const files = openFiles()
  const certificates = allKinds.flatMap((kind) => readAll(files, homes, { kind, region }))
  recordWithdrawn(files, { homes, region }, certificates)
}

/** What cannot be read vouches for nobody. */
function readAll(...from: Parameters<typeof readIntermediates>): Certificate[] {
  try {
    return readIntermediates(...from)
  } catch (error) {
    if (error instanceof Refusal) return []
    throw error
  }
}

/** Every region that was ever adopted here. */
function publishedRegions(homes: Homes): string[] {
  return list(join(homes.public, 'regions')).map(({ name }) => basename(name, '.json'))
}

const secret = /\.(nk|creds|key)$/

function allKeys(homes: Homes, region: string): string[] {
  const secrets = list(regionHome(homes, region), { recursive: true })
    .filter((entry) => entry.isFile() && secret.test(entry.name))
    .map(({ parentPath, name }) => join(parentPath, name))
  return [
    ...secrets,
    regionKeysFile(homes, region),
    publicFiles.region(homes.public, region),
    ...allKinds.map((kind) => intermediatesFile(homes.public, kind, region)),
  ]
}

/** Signing keys of roles that do not have this door any more, whatever stage of rotation they are in. */
function withdrawnRoles(homes: Homes, region: string, { roles }: Archipelago): string[] {
  return functionDoors.flatMap((door) => {
    const kept = roles.filter((role) => role.doors.includes(door)).map(({ name }) => name)
    const folder = join(functionHome(homes, region, door), 'signing')
    return list(folder)
      .filter(({ name }) => !kept.includes(name.split('.', 1)[0] as string))
      .map(({ name }) => join(folder, name))
  })
}

function list(folder: string, options: { recursive?: boolean } = {}): Dirent[] {
  try {
    return readdirSync(folder, { ...options, withFileTypes: true })
  } catch {
    // Not every region has its home here.
    return []
  }
}
