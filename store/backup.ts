// A backup: the homes' keys and state as a ustar archive, which age encrypts. The first file of the
// archive says what it is; `age -d FILE | tar t` lists it without this program.
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { Refusal } from '../core/errors.ts'
import { hasHome, operatorHomeName } from './bootstrap.ts'
import type { Homes } from './homes.ts'
import type { TrustPlace } from './operator.ts'
import { packTar, unpackTar, type TarFile } from './tar.ts'

export interface Manifest {
  readonly version: 1
  readonly network: string
  readonly homes: readonly string[]
  /** ISO 8601. */
  readonly madeAt: string
}
export interface Backup {
  readonly manifest: Manifest
  /** Paths below the data folder. */
  readonly files: readonly TarFile[]
}

const manifestPath = 'backup.json'

/** The homes that are on this machine, or those of them that are wanted. */
export function findHomes(place: TrustPlace, wanted?: readonly string[]): string[] {
  const { homes, archipelago } = place
  const all = [operatorHomeName, ...archipelago.regions.map(({ name }) => name)]
  const found = all.filter((home) => hasHome(place, home))
  const missing = wanted?.find((home) => !found.includes(home))
  if (missing !== undefined || found.length === 0)
    throw new Refusal(
      'ERR_STORE_UNREADABLE',
      `no home of ${missing ?? 'anything'} in ${homes.data}`,
    )
  return wanted === undefined ? found : [...new Set(wanted)]
}

/** Reads the homes; the operator's comes with the public folder, for it has the newest state. */
export function readHomes(homes: Homes, manifest: Manifest): Backup {
  const folders = manifest.homes.flatMap((home) =>
    home === operatorHomeName ? [home, 'public'] : [home],
  )
  const paths = folders.flatMap((folder) => [...filesIn(join(homes.data, folder))])
  const read = (path: string): TarFile => ({
    path: relative(homes.data, path),
    content: readFileSync(path),
  })
  return { manifest, files: paths.map(read) }
}

export function packBackup({ manifest, files }: Backup): Buffer {
  const first = { path: manifestPath, content: Buffer.from(`${JSON.stringify(manifest)}\n`) }
  return packTar([first, ...files])
}

/** Refuses what is no backup, one of another network, and files outside of its homes. */
export function unpackBackup(bytes: Buffer, network: string): Backup {
  const [first, ...files] = unpackTar(bytes)
  if (first?.path !== manifestPath) throw illegal('it does not say what it is')
  const manifest = parseManifest(first.content.toString())
  if (manifest.network !== network)
    throw new Refusal('ERR_BACKUP_OTHER', `backup is of another network: ${manifest.network}`)
  const folders = new Set([...manifest.homes, 'public'])
  const stray = files.find(({ path }) => !folders.has(path.split('/', 1)[0] as string))
  if (stray !== undefined) throw illegal(`a file outside of its homes: ${stray.path}`)
  return { manifest, files }
}

/** What servers and commands leave beside the keys, and can make again. */
const leftOut = /^(servers|cli|nats\.conf|.+\.log(\.1)?|.+\.lock.*|.+\.[0-9a-f]{8})$/

/** Files of a home that a backup holds. */
export function* filesIn(folder: string): Generator<string> {
  for (const entry of entriesOf(folder)) {
    if (leftOut.test(entry.name)) continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* filesIn(path)
    else if (entry.isFile()) yield path
  }
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true }).toSorted((a, b) =>
      a.name < b.name ? -1 : 1,
    )
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

const homeName = /^[a-z][a-z0-9-]{0,31}$/

function parseManifest(text: string): Manifest {
  try {
    const { version, network, homes, madeAt } = JSON.parse(text) as Partial<Manifest>
    const isWhole = typeof network === 'string' && typeof madeAt === 'string'
    if (version === 1 && isWhole && homes?.every((home) => homeName.test(home)))
      return { version, network, homes, madeAt }
  } catch {
    // Refused below, with the others.
  }
  throw illegal('it is of an unknown kind')
}

function illegal(reason: string): Refusal {
  return new Refusal('ERR_BACKUP_ILLEGAL', `illegal backup: ${reason}`)
}
