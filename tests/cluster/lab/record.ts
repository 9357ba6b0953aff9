// What a lab has made outside its folder, written down before it is made: whoever cleans up after a
// crash goes by these names and ids, and by nothing else.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isSame, type ProcessId } from './process-id.ts'

export interface LabRecord {
  readonly id: string
  readonly owner: ProcessId
  /** Everything that the lab writes. */
  readonly folder: string
  /** Network namespaces, by the names that ip knows them by. */
  readonly namespaces: readonly string[]
  /** The first processes of nodes, and what runs beside them. */
  readonly processes: readonly ProcessId[]
  /** Names of folders, one in each cgroup hierarchy. */
  readonly cgroups: readonly string[]
}

const recordsFolder = '/run/archipelago-lab'

export function recordFile(id: string): string {
  return join(recordsFolder, `${id}.json`)
}

/** The file is never half a record. */
export function writeRecord(record: LabRecord): void {
  mkdirSync(recordsFolder, { recursive: true, mode: 0o700 })
  const file = recordFile(record.id)
  writeFileSync(`${file}.draft`, JSON.stringify(record, null, 2))
  renameSync(`${file}.draft`, file)
}

export function readRecord(file: string): LabRecord | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as LabRecord
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

export function removeRecord(id: string): void {
  rmSync(recordFile(id), { force: true })
}

/** Of labs whose process has ended without taking them down. */
export function abandonedRecords(): LabRecord[] {
  return recordNames()
    .map((name) => readRecord(join(recordsFolder, name)))
    .filter((record) => record !== undefined)
    .filter(({ owner }) => !isSame(owner))
}

function recordNames(): string[] {
  try {
    return readdirSync(recordsFolder).filter((name) => name.endsWith('.json'))
  } catch {
    return []
  }
}
