// Takes down what a record names. It can run twice, and after a lab that was killed half-way.
import { existsSync, rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { membersOf, removeCgroups } from './cgroups.ts'
import { killProcess } from './process-id.ts'
import { removeRecord, type LabRecord } from './record.ts'
import { run } from './run.ts'

const pauseMs = 50
const deadlineMs = 20_000

/** Lines for what could not be removed; its record then stays, for a later try. */
export async function cleanLab(record: LabRecord): Promise<string[]> {
  for (const process of record.processes) killProcess(process)
  const groups = await Promise.all(record.cgroups.map(cleanCgroups))
  const namespaces = await Promise.all(record.namespaces.map(cleanNamespace))
  rmSync(record.folder, { recursive: true, force: true, maxRetries: 5 })
  const left = [...groups, ...namespaces].filter((line) => line !== undefined)
  if (left.length === 0) removeRecord(record.id)
  return left
}

/** A node whose first process has ended takes all others with it, but not at once. */
export async function cleanCgroups(name: string): Promise<string | undefined> {
  const deadline = performance.now() + deadlineMs
  while (!removeCgroups(name)) {
    if (performance.now() > deadline)
      return `cgroup ${name}: processes ${membersOf(name).join(' ')}`
    await delay(pauseMs)
  }
  return undefined
}

async function cleanNamespace(name: string): Promise<string | undefined> {
  if (!existsSync(namespaceFile(name))) return undefined
  try {
    await run('ip', ['netns', 'delete', name])
    return undefined
  } catch (error) {
    return `network namespace ${name}: ${error instanceof Error ? error.message : String(error)}`
  }
}

export function namespaceFile(name: string): string {
  return `/run/netns/${name}`
}
