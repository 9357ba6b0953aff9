// A commit of exactly the named files, whatever else is changed in the clone.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { Refusal } from '../../core/errors.ts'

const timeoutMs = 30_000

/** Hands back the commit; undefined where the files are committed as they are. */
export async function commitFiles(
  folder: string,
  files: readonly string[],
  message: string,
): Promise<string | undefined> {
  const git = (...args: string[]) => runGit(folder, args)
  await git('add', '--', ...files)
  const staged = await git('diff', '--cached', '--name-only', '--', ...files)
  if (staged === '') return undefined
  await git('commit', '--quiet', '--message', message, '--', ...files)
  return git('rev-parse', 'HEAD')
}

async function runGit(cwd: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('git', args, { cwd, timeout: timeoutMs })
    return stdout.trim()
  } catch (cause) {
    const { stderr = '' } = cause as { stderr?: string }
    const said = stderr.trim().split('\n')[0] ?? ''
    throw new Refusal('ERR_GIT', `git ${args[0]}: ${said}`, { cause })
  }
}
