// A tool on PATH. Asking a binary for its version costs a process, so the answer is kept in the
// cache folder for as long as the file's path, time and size stay the same.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  accessSync,
  constants,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'
import type { Pin } from './pin.ts'
import { findVersion, isAtLeast } from './version.ts'

export interface Search {
  readonly found: string | undefined
  /** The first that was passed over, as one would say it: '/usr/bin/nsc is 2.8.0'. */
  readonly tooOld: string | undefined
}

/** Looks through the whole of PATH: behind an old binary there may be a newer one. */
export async function searchPath(
  pin: Pin,
  { path, cache }: { readonly path: string; readonly cache: string },
): Promise<Search> {
  let tooOld: string | undefined
  for (const file of onPath(pin.name, path)) {
    const version = await versionOf(file, pin, cache)
    if (version !== undefined && isAtLeast(version, pin.floor)) return { found: file, tooOld }
    tooOld ??= `${file} is ${version ?? 'not a released version'}`
  }
  return { found: undefined, tooOld }
}

/** The executables of that name, in the order of PATH; relative folders in PATH are passed over. */
export function onPath(name: string, path: string): string[] {
  const folders = path.split(delimiter).filter((folder) => isAbsolute(folder))
  return folders.map((folder) => join(folder, name)).filter((file) => isExecutable(file))
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}

async function versionOf(file: string, pin: Pin, cache: string): Promise<string | undefined> {
  const { mtimeMs, size } = statSync(file)
  const key = createHash('sha256').update(`${file}\0${mtimeMs}\0${size}`).digest('hex')
  const memory = join(cache, 'on-path', key)
  return findVersion(recall(memory) ?? (await askVersion(file, pin, memory)))
}

function recall(memory: string): string | undefined {
  try {
    return readFileSync(memory, 'utf8')
  } catch {
    return undefined
  }
}

async function askVersion(file: string, { versionArgument }: Pin, memory: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(file, [versionArgument], { timeout: 5000 })
    remember(memory, stdout)
    return stdout
  } catch {
    return ''
  }
}

/** A memory that cannot be written costs a process next time, and nothing else. */
function remember(memory: string, text: string): void {
  const draft = `${memory}.${process.pid}`
  try {
    mkdirSync(dirname(memory), { recursive: true })
    writeFileSync(draft, text)
    renameSync(draft, memory)
  } catch {}
}
