// Homes on disk for a test.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { ExecutionContext } from 'ava'
import { bootstrapHomes, type Bootstrapped, type WantedHomes } from '../../store/bootstrap.ts'
import { openFiles } from '../../store/files.ts'
import { homesOf, type Homes } from '../../store/homes.ts'
import type { BootstrapOptions, OperatorHome } from '../../store/operator.ts'
import { archipelago, nowSeconds } from '../core/trust/example.ts'
import { temporaryFolder } from '../temporary-folder.ts'

export interface TestHomes {
  readonly data: string
  readonly homes: Homes
  /** Makes what is missing, at some second after the first time. */
  bootstrap(wanted?: WantedHomes, later?: Partial<BootstrapOptions>): Bootstrapped
  readonly options: BootstrapOptions
}

/** Empty homes in a folder of the test's own. */
export function makeHomes(t: ExecutionContext): TestHomes {
  const data = join(temporaryFolder(t), 'data')
  const homes = homesOf(data)
  const options: BootstrapOptions = { files: openFiles(), homes, archipelago, nowSeconds }
  return {
    data,
    homes,
    options,
    bootstrap: (wanted = {}, later = {}) => bootstrapHomes({ ...options, ...later }, wanted),
  }
}

export function requireOperator({ operator }: Bootstrapped): OperatorHome {
  if (operator === undefined) throw new RangeError('the home of the operator is not here')
  return operator
}

/** Every file below a folder with content, mode and time; folders with their mode and time. */
export function snapshot(folder: string): Map<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return new Map(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name)
      const { mode, mtimeNs } = statSync(path, { bigint: true })
      const content = entry.isFile() ? readFileSync(path, 'utf8') : 'folder'
      return [relative(folder, path), `${mode & 0o777n} ${mtimeNs} ${content}`]
    }),
  )
}
