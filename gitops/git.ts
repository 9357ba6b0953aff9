// git in a clone, as its owner would run it.
import { execFile } from 'node:child_process'
import { Refusal } from '../core/errors.ts'

const outputBytesMax = 16 * 1024 * 1024

interface GitOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly input?: string
}

/** What it printed; refuses with what it said. */
export async function git(
  folder: string,
  args: readonly string[],
  options: GitOptions = {},
): Promise<string> {
  const { error, stdout, stderr } = await runGit(folder, args, options)
  if (error === null) return stdout.trimEnd()
  const said = stderr.trim() || error.message
  throw new Refusal('ERR_GIT', `git ${args[0]}: ${said}`, { cause: error })
}

export async function gitExitCode(folder: string, args: readonly string[]): Promise<number> {
  const { error } = await runGit(folder, args, {})
  if (error === null) return 0
  return typeof error.code === 'number' ? error.code : -1
}

function runGit(folder: string, args: readonly string[], { env, input }: GitOptions) {
  const { promise, resolve } =
    Promise.withResolvers<Readonly<{ error: Failed | null; stdout: string; stderr: string }>>()
  const options = { cwd: folder, maxBuffer: outputBytesMax, timeout: 120_000, ...(env && { env }) }
  const child = execFile('git', args, options, (error, stdout, stderr) => {
    resolve({ error, stdout, stderr })
  })
  // Which fails where git has ended before it read anything: its exit code says why.
  child.stdin?.on('error', () => {})
  child.stdin?.end(input ?? '')
  return promise
}

type Failed = Error & { readonly code?: unknown }
