// Files that must be whole or absent: written beside their place, then renamed.
import { randomBytes } from 'node:crypto'
import {
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { Refusal } from '../core/errors.ts'

const secretMode = 0o600
const privateFolder = { recursive: true, mode: 0o700 } as const
const textBytesMax = 4 * 1024 * 1024

/** The trust on disk; in a dry run it is only changed in memory. */
export interface Files {
  /** Undefined where there is no such file; refuses one that cannot be read. */
  read(path: string): string | undefined
  /** Writes unless the file has that content already; whether it was written. */
  write(path: string, content: string): boolean
  /** What was written so far. */
  readonly changes: readonly FileChange[]
}
export interface FileChange {
  readonly path: string
  readonly kind: 'made' | 'changed'
}

export function openFiles({ isDryRun = false } = {}): Files {
  const drafts = new Map<string, string>()
  const changes: FileChange[] = []
  const read = (path: string): string | undefined => drafts.get(path) ?? readIfThere(path)
  const write = (path: string, content: string): boolean => {
    const before = read(path)
    if (before === content) return false
    if (isDryRun) drafts.set(path, content)
    else writePrivate(path, content)
    changes.push({ path, kind: before === undefined ? 'made' : 'changed' })
    return true
  }
  return { read, write, changes }
}

/** Writes a file only its owner may read, in folders only their owner may enter. */
export function writePrivate(path: string, content: string | Uint8Array): void {
  const draft = `${path}.${randomBytes(4).toString('hex')}`
  try {
    mkdirSync(dirname(path), privateFolder)
    writeFileSync(draft, content, { mode: secretMode })
    renameSync(draft, path)
  } catch (cause) {
    discard(draft)
    throw new Refusal('ERR_STORE_UNWRITABLE', `cannot write ${path}: ${reason(cause)}`, { cause })
  }
}

/** The same for a file that must not be there yet: nobody's key is overwritten by mistake. */
export function writeNewPrivate(path: string, content: string | Uint8Array): void {
  const draft = `${path}.${randomBytes(4).toString('hex')}`
  writePrivate(draft, content)
  try {
    linkSync(draft, path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST')
      throw new Refusal('ERR_FILE_EXISTS', `exists: ${path}`, { cause })
    throw new Refusal('ERR_STORE_UNWRITABLE', `cannot write ${path}: ${reason(cause)}`, { cause })
  } finally {
    discard(draft)
  }
}

function discard(draft: string): void {
  try {
    rmSync(draft, { force: true })
  } catch {
    // Where nothing could be written nothing is left.
  }
}

/** Makes a folder only its owner may enter, and those above it that are missing. */
export function makePrivateFolder(path: string): void {
  try {
    mkdirSync(path, privateFolder)
  } catch (cause) {
    throw new Refusal('ERR_STORE_UNWRITABLE', `cannot make ${path}: ${reason(cause)}`, { cause })
  }
}

export function readOrRefuse(path: string, what: string): string {
  const text = readIfThere(path)
  if (text === undefined) throw new Refusal('ERR_STORE_UNREADABLE', `no ${what} at ${path}`)
  return text
}

/** Refuses a file that is not there or larger than any backup. */
export function readBytes(path: string, what: string): Buffer {
  const bytes = readBytesIfThere(path, 64 * 1024 * 1024)
  if (bytes === undefined) throw new Refusal('ERR_STORE_UNREADABLE', `no ${what} at ${path}`)
  return bytes
}

/** Undefined where there is no such file; refuses one that cannot be read. */
export function readIfThere(path: string): string | undefined {
  return readBytesIfThere(path, textBytesMax)?.toString()
}

function readBytesIfThere(path: string, bytesMax: number): Buffer | undefined {
  try {
    const { size } = statSync(path)
    if (size <= bytesMax) return readFileSync(path)
    throw new Refusal('ERR_STORE_UNREADABLE', `${path}: ${size} bytes, ${bytesMax} at most`)
  } catch (cause) {
    if (cause instanceof Refusal) throw cause
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Refusal('ERR_STORE_UNREADABLE', `cannot read ${path}: ${reason(cause)}`, { cause })
  }
}

function reason(cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code ?? String(cause)
}
