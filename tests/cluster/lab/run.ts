// A program that runs to its end.
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'

export interface RunOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly input?: string
  /** After it the program is killed, and the run has failed. */
  readonly deadlineMs?: number
}

const deadlineMsDefault = 60_000

/** What it printed; throws with the end of what it said on its error stream when it fails. */
export async function run(
  command: string,
  args: readonly string[],
  { cwd, env, input, deadlineMs = deadlineMsDefault }: RunOptions = {},
): Promise<string> {
  const child = spawn(command, args, {
    ...(cwd && { cwd }),
    ...(env && { env }),
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: deadlineMs,
    killSignal: 'SIGKILL',
  })
  const closed = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, signal) => resolve(code === 0 ? '' : `exit ${signal ?? code}`))
  })
  // One that has ended before it read everything says why by itself.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [out, said, failure] = await Promise.all([text(child.stdout), text(child.stderr), closed])
  if (failure === '') return out
  throw new Error(`${command} ${args.join(' ')}: ${lastLines(said || out)} (${failure})`)
}

function lastLines(said: string): string {
  return said.trim().split('\n').slice(-5).join('\n')
}
