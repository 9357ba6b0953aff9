import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const deadlineMs = 30_000

/** From its spawn to its end. Rejects with what it said when it does not end with 0. */
export async function timeProcess(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const started = performance.now()
  await promisify(execFile)(command, args, { env, timeout: deadlineMs })
  return performance.now() - started
}
