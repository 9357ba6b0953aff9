// The repository as its remote has it. Commits are made beside the work tree, which stays as it is:
// whatever somebody has begun there is neither in the way nor swept along.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Refusal } from '../../core/errors.ts'
import { quote } from '../../core/quote.ts'
import { git, gitExitCode } from '../../gitops/git.ts'
import { parseCommit, type Commit } from '../../gitops/revision.ts'

export interface Remote {
  /** Of the clone: where git runs. */
  readonly folder: string
  readonly remote: string
  readonly branch: string
}

export interface Change {
  readonly files: ReadonlyMap<string, string>
  readonly message: string
  readonly isSigned: boolean
}

const triesMax = 5
const wasFaster = /\(fetch first\)|\(non-fast-forward\)|cannot lock ref/

/** The branch's commit at the remote, fetched now. */
export async function fetchHead({ folder, remote, branch }: Remote): Promise<Commit> {
  await git(folder, ['fetch', '--quiet', remote, branch])
  return parseCommit(await git(folder, ['rev-parse', '--verify', 'FETCH_HEAD^{commit}']))
}

/** Refuses what is no commit here, or not on the branch: no Argo CD could pull it. */
export async function resolveCommit(folder: string, text: string, head: Commit): Promise<Commit> {
  const found = await git(folder, [
    'rev-parse',
    '--verify',
    '--end-of-options',
    `${text}^{commit}`,
  ]).catch((cause: unknown) => {
    throw new Refusal('ERR_COMMIT_UNKNOWN', `no such commit: ${quote(text)}`, { cause })
  })
  const commit = parseCommit(found)
  if (await isAncestor(folder, commit, head)) return commit
  throw new Refusal('ERR_COMMIT_UNKNOWN', `not on the branch that the regions pull: ${quote(text)}`)
}

/** Also of itself. */
export async function isAncestor(folder: string, older: Commit, newer: Commit): Promise<boolean> {
  return (await gitExitCode(folder, ['merge-base', '--is-ancestor', older, newer])) === 0
}

/** Whether any file below these paths is another one. */
export async function differ(
  folder: string,
  [one, other]: readonly [Commit, Commit],
  paths: readonly string[],
): Promise<boolean> {
  return (await gitExitCode(folder, ['diff', '--quiet', one, other, '--', ...paths])) !== 0
}

/** Undefined where the commit has no such file. */
export async function readAt(folder: string, commit: Commit, path: string) {
  return await git(folder, ['show', `${commit}:${path}`]).catch(() => undefined)
}

/** The commits that changed a file, the newest first, at most 100. */
export async function historyOf(folder: string, head: Commit, path: string): Promise<Commit[]> {
  const found = await git(folder, ['log', '--max-count=100', '--format=%H', head, '--', path])
  return found.split('\n').filter(Boolean).map(parseCommit)
}

/** The newest commit that changed anything but what these paths hold; the given one, if none did. */
export async function newestChange(
  folder: string,
  head: Commit,
  except: readonly string[],
): Promise<Commit> {
  const others = except.map((path) => `:(top,exclude)${path}`)
  const found = await git(folder, ['log', '-1', '--format=%H', head, '--', ':/', ...others])
  return found === '' ? head : parseCommit(found)
}

/** Commits on top of the branch and pushes; begins anew when somebody else was faster. */
export async function pushChange(place: Remote, change: Change): Promise<Commit> {
  for (let attempt = 1; ; attempt += 1) {
    const commit = await commitOn(place.folder, await fetchHead(place), change)
    const target = `${commit}:refs/heads/${place.branch}`
    try {
      await git(place.folder, ['push', '--quiet', place.remote, target])
      return commit
    } catch (error) {
      const isRace = error instanceof Error && wasFaster.test(error.message)
      if (!isRace || attempt === triesMax) throw error
    }
  }
}

async function commitOn(folder: string, parent: Commit, change: Change): Promise<Commit> {
  const own = await mkdtemp(join(tmpdir(), 'archipelago-index-'))
  const env = { ...process.env, GIT_INDEX_FILE: join(own, 'index') }
  try {
    await git(folder, ['read-tree', parent], { env })
    for (const [path, text] of change.files) {
      const blob = await git(folder, ['hash-object', '-w', '--stdin'], { input: text })
      await git(folder, ['update-index', '--add', '--cacheinfo', `100644,${blob},${path}`], { env })
    }
    const tree = await git(folder, ['write-tree'], { env })
    const signing = change.isSigned ? ['-S'] : []
    const args = ['commit-tree', ...signing, '-p', parent, '-m', change.message, tree]
    return parseCommit(await git(folder, args))
  } finally {
    await rm(own, { recursive: true, force: true })
  }
}
