// What others built, fetched once into the cache and checked each time that it is read.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { requirePinned } from './checksum.ts'

export interface KeptFile {
  readonly name: string
  readonly digestOf: (bytes: Uint8Array) => string
  /** The only digest that it may have. */
  readonly pinned: string
}

/** Its path in the cache. `fetch` puts it into a folder and says where; other bytes are refused. */
export async function keepFile(
  { name, digestOf, pinned }: KeptFile,
  cache: string,
  fetch: (folder: string) => Promise<string>,
): Promise<string> {
  const kept = join(cache, name)
  if (existsSync(kept) && digestOf(readFileSync(kept)) === pinned) return kept
  return withDraft(cache, async (folder) => {
    const fetched = await fetch(folder)
    requirePinned(name, { is: digestOf(readFileSync(fetched)), pinned })
    renameSync(fetched, kept)
    return kept
  })
}

/** A folder of one step's own, on the cache's file system; gone when the step is over. */
export async function withDraft<Made>(
  cache: string,
  step: (folder: string) => Promise<Made>,
): Promise<Made> {
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'draft-'))
  try {
    return await step(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
