// Where a store may lie, and who may look into it.
import { chmodSync, existsSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { Refusal } from '../core/errors.ts'

/** A folder in which no key of the network may lie. */
export interface Forbidden {
  readonly path: string
  readonly what: string
}

/** The user's own stores of keys, by the rules of nsc. */
export function ownStores(home: string, env: NodeJS.ProcessEnv): Forbidden[] {
  const named = (names: readonly string[]): string[] => names.flatMap((name) => env[name] || [])
  const bases = [join(home, '.local', 'share'), join(home, '.config')]
  return [
    ...[...bases, ...named(['XDG_DATA_HOME', 'XDG_CONFIG_HOME'])].map((base) => join(base, 'nats')),
    ...[join(home, '.nsc'), join(home, '.nkeys'), ...named(['NSC_HOME', 'NKEYS_PATH'])],
  ].map((path) => ({ path, what: "the user's own nsc store" }))
}

/** The git work tree that holds a file or folder, if one does. */
export function workTreeOf(path: string): Forbidden[] {
  for (let folder = realPath(path); ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.git'))) return [{ path: folder, what: 'the repository' }]
    if (folder === dirname(folder)) return []
  }
}

/** Refuses a data folder inside a forbidden one, symbolic links followed. */
export function requireOutside(data: string, forbidden: readonly Forbidden[]): void {
  const place = realPath(data)
  const around = forbidden.find(({ path }) => isInside(place, realPath(path)))
  if (around !== undefined)
    throw new Refusal('ERR_STORE_PLACE', `keys may not lie in ${around.what}: ${data}`)
}

/**
 * Refuses a store that others than its owner can read, naming what is open: whoever read a key has
 * it, so closing it silently would hide a leak. A folder that holds nothing yet is closed.
 */
export function requireClosed(data: string): void {
  if (!existsSync(data)) return
  if (!statSync(data).isDirectory())
    throw new Refusal('ERR_STORE_UNWRITABLE', `not a folder: ${data}`)
  if (readdirSync(data).length === 0) return chmodSync(data, folderMode)
  const open = [data, ...secretsIn(data)].filter(isOpenToOthers)
  const [first] = open
  if (first === undefined) return
  const more = open.length > 1 ? ` and ${open.length - 1} more` : ''
  const mode = (statSync(first).mode & 0o777).toString(8)
  throw new Refusal('ERR_STORE_OPEN', `others can read the store: ${first} (mode ${mode})${more}`)
}

const folderMode = 0o700
const secretFile = /\.(nk|creds|key)$/
/** Public files, and folders that servers fill with what is no secret. */
const passedOver = new Set(['public', 'run', 'servers'])

function* secretsIn(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory() && !passedOver.has(entry.name)) {
      yield path
      yield* secretsIn(path)
    } else if (secretFile.test(entry.name)) yield path
  }
}

function isOpenToOthers(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat !== undefined && (stat.mode & 0o077) !== 0
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path)
  return way === '' || !(way === '..' || way.startsWith('../') || way.startsWith('/'))
}

/** The real path of what may not exist yet: that of its nearest folder, and the rest. */
function realPath(path: string): string {
  const absolute = resolve(path)
  if (existsSync(absolute)) return realpathSync(absolute)
  const parent = dirname(absolute)
  return parent === absolute ? absolute : join(realPath(parent), basename(absolute))
}
