// Brings a backup's homes back: each is written beside its place, then renamed. Keys that are here are
// overwritten by force only; signed state never goes back, not even by force.
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { Refusal } from '../core/errors.ts'
import { filesIn, type Backup } from './backup.ts'
import { syncToDisk, writeDurably } from './durable.ts'
import { writePrivate } from './files.ts'

export interface RestoredHome {
  readonly home: string
  readonly isChanged: boolean
  /** Where the folder lies now that was replaced by force. */
  readonly replaced?: string
}

/** Refuses before anything is changed where a key that is here is not the backup's. */
export function restoreHomes(
  data: string,
  { manifest, files }: Backup,
  { isForced = false, isDryRun = false } = {},
): RestoredHome[] {
  const plans = [...manifest.homes, 'public'].map((home): Plan => {
    const folder = join(data, home)
    if (!isDryRun) recover(folder)
    const here = readFolder(folder)
    const brought = new Map(
      files
        .filter(({ path }) => path.startsWith(`${home}/`))
        .map(({ path, content }) => [path.slice(home.length + 1), content]),
    )
    return { home, folder, here, merged: merge({ folder, here, brought }, isForced) }
  })
  return plans.map((plan): RestoredHome => {
    if (isDryRun || !isChanged(plan)) return { home: plan.home, isChanged: isChanged(plan) }
    return plan.home === 'public' ? updateFiles(plan) : swap(plan, isForced)
  })
}

type Contents = ReadonlyMap<string, Buffer>
interface Plan {
  readonly home: string
  readonly folder: string
  readonly here: Contents
  readonly merged: Contents
}

function readFolder(folder: string): Contents {
  return new Map(
    [...filesIn(folder)].map((path) => [relative(folder, path), readFileSync(path)] as const),
  )
}

function merge(
  { folder, here, brought }: { folder: string; here: Contents; brought: Contents },
  isForced: boolean,
): Contents {
  const merged = new Map(brought)
  for (const [path, content] of here) {
    const other = brought.get(path)
    if (other?.equals(content)) continue
    const verdict = compare(path, content, other)
    if (verdict === 'conflict' && !isForced)
      throw new Refusal(
        'ERR_KEY_OTHER',
        `another key is here than in the backup: ${join(folder, path)}`,
      )
    if (verdict === 'keep') merged.set(path, content)
  }
  return merged
}

/** What is done with a file that is here, and not the same in the backup. */
function compare(path: string, here: Buffer, brought: Buffer | undefined) {
  if (/\.(nk|key)$/.test(path)) return 'conflict'
  if (brought === undefined) return 'keep'
  const [mine, theirs] = [readState(here), readState(brought)]
  if (mine === undefined || theirs === undefined) return 'keep'
  if (mine.subject !== theirs.subject) return 'conflict'
  return mine.rank < theirs.rank ? 'bring' : 'keep'
}

/** Of a JWT, or a creds file: whose it is, and a number that rises. */
function readState(content: Buffer): { subject: string; rank: number } | undefined {
  const [, payload] = /eyJ[\w-]+\.([\w-]+)\.[\w-]+/.exec(content.toString('latin1')) ?? []
  if (payload === undefined) return undefined
  try {
    const { sub, iat, nats } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as {
      sub: string
      iat: number
      nats: { sequence?: number }
    }
    return { subject: sub, rank: nats.sequence ?? iat }
  } catch {
    return undefined
  }
}

function isChanged({ here, merged }: Plan): boolean {
  return here.size !== merged.size || [...merged].some(isNew(here))
}

const isNew =
  (here: Contents) =>
  ([path, content]: [string, Buffer]): boolean =>
    here.get(path)?.equals(content) !== true

function updateFiles({ home, folder, here, merged }: Plan): RestoredHome {
  for (const [path, content] of [...merged].filter(isNew(here)))
    writePrivate(join(folder, path), content)
  return { home, isChanged: true }
}

function swap({ home, folder, merged }: Plan, isForced: boolean): RestoredHome {
  const { staged, before } = namesBeside(folder)
  for (const [path, content] of merged) writeDurably(join(staged, path), content)
  if (existsSync(folder)) renameSync(folder, before)
  renameSync(staged, folder)
  syncToDisk(join(folder, '..'))
  const replaced = isForced ? putAside(folder) : undefined
  rmSync(before, { recursive: true, force: true })
  return { home, isChanged: true, ...(replaced && { replaced }) }
}

const namesBeside = (folder: string) => ({
  staged: `${folder}.restoring`,
  before: `${folder}.before-restore`,
})

/** A restore that was cut off has left folders beside its place: nothing that was here is lost. */
function recover(folder: string): void {
  const { staged, before } = namesBeside(folder)
  rmSync(staged, { recursive: true, force: true })
  if (!existsSync(before)) return
  if (existsSync(folder)) putAside(folder)
  else renameSync(before, folder)
}

function putAside(folder: string): string | undefined {
  const { before } = namesBeside(folder)
  if (!existsSync(before) || readdirSync(before).length === 0) return undefined
  const aside = `${folder}.replaced-${randomBytes(4).toString('hex')}`
  renameSync(before, aside)
  return aside
}
