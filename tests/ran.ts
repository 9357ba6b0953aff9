// What the tests of a run have typed, for whoever asks at its end.
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const recordName = '.ran'

export interface Typed {
  /** A script by its name, or another program, and its arguments. */
  readonly words: readonly string[]
  readonly code: number
  /** As it stands in a document, to the letter. */
  readonly line?: string
}

/** Of all processes of the run, each adds its own lines. */
export function recordTyped(typed: Typed): void {
  const file = process.env['ARCHIPELAGO_TYPED']
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(typed)}\n`)
}

export function readTyped(folder: string): Typed[] {
  const file = join(folder, recordName)
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line) as Typed)
}
