// Where a lab lies: its folder, its names, and the record of everything that is to be removed.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cleanLab } from './clean.ts'
import { identify } from './process-id.ts'
import { recordFile, writeRecord, type LabRecord } from './record.ts'

type Kept = Pick<LabRecord, 'namespaces' | 'processes' | 'cgroups'>

export interface LabPlace {
  readonly id: string
  readonly folder: string
  /** A folder of the lab's, made if need be. */
  folderOf(...path: string[]): string
  /** Writes down what is about to be made. */
  keep(more: Partial<Kept>): void
  /** Takes everything down; lines for what is left. */
  close(): Promise<string[]>
}

/** From here on the lab goes when this process does. */
export function openPlace(): LabPlace {
  const id = `lab-${randomBytes(3).toString('hex')}`
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `archipelago-${id}-`)))
  const empty: Kept = { namespaces: [], processes: [], cgroups: [] }
  let record: LabRecord = { id, owner: identify(process.pid), folder, ...empty }
  writeRecord(record)
  const janitor = startJanitor(id)
  return {
    id,
    folder,
    folderOf: (...path) => {
      const each = join(folder, ...path)
      mkdirSync(each, { recursive: true })
      return each
    },
    keep: (more) => {
      record = merge(record, more)
      writeRecord(record)
    },
    close: async () => {
      const left = await cleanLab(record)
      await janitor.end()
      return left
    },
  }
}

function merge(record: LabRecord, more: Partial<Kept>): LabRecord {
  return {
    ...record,
    namespaces: [...record.namespaces, ...(more.namespaces ?? [])],
    processes: [...record.processes, ...(more.processes ?? [])],
    cgroups: [...new Set([...record.cgroups, ...(more.cgroups ?? [])])],
  }
}

/** A group of its own: Ctrl-C is for the lab's owner. */
function startJanitor(id: string): { end(): Promise<void> } {
  const program = fileURLToPath(new URL('janitor.ts', import.meta.url))
  const child = spawn(process.execPath, [program, recordFile(id)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  child.unref()
  return {
    end: async () => {
      child.ref()
      const ended = once(child, 'exit')
      child.stdin.end()
      await ended
    },
  }
}
