// A commit of exactly the named files, whatever else is changed in the clone.
import { git } from '../../gitops/git.ts'

/** Hands back the commit; undefined where the files are committed as they are. */
export async function commitFiles(
  folder: string,
  files: readonly string[],
  message: string,
): Promise<string | undefined> {
  const run = (...args: string[]) => git(folder, args)
  await run('add', '--', ...files)
  const staged = await run('diff', '--cached', '--name-only', '--', ...files)
  if (staged === '') return undefined
  await run('commit', '--quiet', '--message', message, '--', ...files)
  return run('rev-parse', 'HEAD')
}
