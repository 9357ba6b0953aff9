// A repository at its remote with three regions, an operator's clone of it, and what the regions' Argo
// CDs would say of it, as a file.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { formatRevision, parseRevision, revisionFile, type Commit } from '../gitops/revision.ts'
import { run } from './run-script.ts'
import { temporaryFolder } from './temporary-folder.ts'

export const regionNames = ['ams3', 'sfo2', 'sgp1'] as const
export type RegionName = (typeof regionNames)[number]

const authorship = ['-c', 'user.name=Operator', '-c', 'user.email=operator@archipelago.example']

/** `isPinned`: every region stands at the first commit already. */
export async function makeRepository(t: ExecutionContext, isPinned = false) {
  const folder = temporaryFolder(t)
  const [remote, clone] = [join(folder, 'remote.git'), join(folder, 'clone')]
  await git(folder, 'init', '--quiet', '--bare', '--initial-branch=main', remote)
  await git(folder, 'clone', '--quiet', remote, clone)
  await git(clone, 'config', 'user.name', 'Operator')
  await git(clone, 'config', 'user.email', 'operator@archipelago.example')
  await git(clone, 'checkout', '--quiet', '-b', 'main')
  const example = await readFile(new URL('../archipelago.yaml', import.meta.url), 'utf8')
  const files: Record<string, string> = {
    'archipelago.yaml': example,
    'manifests/base/version': '1',
    'manifests/trust/ams3/version': '1',
  }
  for (const region of regionNames) {
    files[`manifests/overlays/${region}/version`] = '1'
    files[revisionFile(region)] = await readFile(
      new URL(`../${revisionFile(region)}`, import.meta.url),
      'utf8',
    )
  }
  const commit = async (changed: Record<string, string>, message: string): Promise<Commit> => {
    await git(clone, 'pull', '--quiet', '--rebase', 'origin', 'main').catch(() => '')
    for (const [path, text] of Object.entries(changed)) {
      await mkdir(dirname(join(clone, path)), { recursive: true })
      await writeFile(join(clone, path), text)
    }
    await git(clone, 'add', '--all')
    await git(clone, 'commit', '--quiet', '-m', message)
    await git(clone, 'push', '--quiet', 'origin', 'main')
    return (await git(clone, 'rev-parse', 'HEAD')) as Commit
  }
  const first = await commit(files, 'begin')
  if (isPinned) {
    const pins = regionNames.map((region) => [revisionFile(region), formatRevision(first)])
    await commit(Object.fromEntries(pins) as Record<string, string>, 'pin')
  }
  return {
    folder,
    clone,
    remote,
    first,
    commit,
    git: (...args: string[]) => git(clone, ...args),
    head: () => readFile(join(remote, 'refs/heads/main'), 'utf8'),
    /** What the remote's branch says of a region now. */
    pinOf: async (region: RegionName) =>
      parseRevision(await git(remote, 'show', `main:${revisionFile(region)}`)),
    subjects: async () =>
      (await git(remote, 'log', '--format=%s', 'main')).split('\n').toReversed().slice(1),
  }
}

export type Repository = Awaited<ReturnType<typeof makeRepository>>

async function git(folder: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run('git', [...authorship, ...args], { cwd: folder })
  if (code !== 0) throw new Error(`git ${args[0]}: ${stderr}`)
  return stdout.trim()
}
