// Files that outlast a power cut: on the disk before the next step relies on them.
import { closeSync, fsyncSync, openSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { writeNewPrivate } from './files.ts'

/** Refuses where a file is already; when it returns, the file is on the disk. */
export function writeDurably(path: string, content: string | Uint8Array): void {
  writeNewPrivate(path, content)
  syncToDisk(path)
  syncToDisk(dirname(path))
}

/** When it returns, the file is gone from the disk, too. */
export function removeDurably(path: string): void {
  rmSync(path, { force: true })
  syncToDisk(dirname(path))
}

/** A file's content, or a folder's list of names. */
export function syncToDisk(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } catch (error) {
    // Some file systems have no sync for folders.
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error
  } finally {
    closeSync(handle)
  }
}
