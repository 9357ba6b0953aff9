// Runs a command of scripts/ as a person would, and hears what it says.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { recordTyped } from './ran.ts'

const folder = fileURLToPath(new URL('../scripts/', import.meta.url))

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Ends with whatever code the command ended with; a hang is ended after a minute. */
export async function runScript(
  name: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Ran> {
  const ran = await run(process.execPath, [`${folder}${name}.ts`, ...args], options)
  recordTyped({ words: [name, ...args], code: ran.code })
  return ran
}

/** The same for any program. */
export function run(
  file: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Ran> {
  const { promise, resolve } = Promise.withResolvers<Ran>()
  execFile(file, args, { timeout: 60_000, ...options }, (error, stdout, stderr) => {
    const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
    resolve({ code, stdout, stderr })
  })
  return promise
}
