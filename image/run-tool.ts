import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const timeoutMs = 300_000
const outputBytesMax = 16 * 1024 * 1024

/** What a program prints; it fails with the line that says most of what the program complained of. */
export async function runTool(
  [file = '', ...args]: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<string> {
  const limits = { timeout: timeoutMs, maxBuffer: outputBytesMax }
  try {
    return (await promisify(execFile)(file, args, { ...options, ...limits })).stdout
  } catch (error) {
    const { stderr = '', message } = error as { stderr?: string; message: string }
    throw new Error(complaintOf(stderr) || message, { cause: error })
  }
}

// npm says where its log is after its reason, apt what it fetched before it.
const reason = /^(npm (error|ERR!) (?!code |syscall |errno )|E: )/

function complaintOf(stderr: string): string | undefined {
  const lines = stderr.trim().split('\n')
  return lines.find((line) => reason.test(line)) ?? lines.at(-1)
}
