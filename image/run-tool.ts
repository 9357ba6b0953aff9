import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const timeoutMs = 300_000
const outputBytesMax = 16 * 1024 * 1024

/** What a program prints; it fails with the last line that the program complained with. */
export async function runTool(
  [file = '', ...args]: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<string> {
  const limits = { timeout: timeoutMs, maxBuffer: outputBytesMax }
  try {
    return (await promisify(execFile)(file, args, { ...options, ...limits })).stdout
  } catch (error) {
    const { stderr = '', message } = error as { stderr?: string; message: string }
    throw new Error(stderr.trim().split('\n').at(-1) || message, { cause: error })
  }
}
