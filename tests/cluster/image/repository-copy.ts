import { cpSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from '../lab/run.ts'

export const root = fileURLToPath(new URL('../../..', import.meta.url))

/** What git carries of this repository, as it is now, and the packages that are installed. */
export async function copyRepository(folder: string): Promise<void> {
  mkdirSync(folder)
  const files = (await run('git', ['ls-files'], { cwd: root })).trim().split('\n')
  for (const each of files) cpSync(join(root, each), join(folder, each))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
}
