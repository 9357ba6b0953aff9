// One writer of the operator's trust at a time: who reads, adds and signs must not lose what another
// process adds meanwhile.
import { linkSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '../core/errors.ts'
import { writePrivate } from './files.ts'
import type { Homes } from './homes.ts'

const pauseMs = 10

/** Runs the change while no other process of this machine is in one; refuses after the deadline. */
export function withTrustLock<T>(homes: Homes, change: () => T, { deadlineMs = 5_000 } = {}): T {
  const lock = join(homes.operator, 'trust.lock')
  const deadline = performance.now() + deadlineMs
  while (!take(lock)) {
    const holder = readHolder(lock)
    if (holder !== undefined && !isAlive(holder)) forget(lock, holder)
    else if (performance.now() < deadline) pause()
    else throw new Refusal('ERR_STORE_LOCKED', `trust is locked by process ${holder}: ${lock}`)
  }
  try {
    return change()
  } finally {
    rmSync(lock, { force: true })
  }
}

/** A link appears at once and whole, or not at all where there is one. */
function take(lock: string): boolean {
  const own = `${lock}.${process.pid}`
  writePrivate(own, String(process.pid))
  try {
    linkSync(own, lock)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw new Refusal('ERR_STORE_UNWRITABLE', `cannot lock ${lock}: ${String(error)}`, {
      cause: error,
    })
  } finally {
    rmSync(own, { force: true })
  }
}

/** Moved away first: if another process has it by now, it gets it back. */
function forget(lock: string, holder: number): void {
  const stale = `${lock}.stale.${process.pid}`
  try {
    renameSync(lock, stale)
    if (readHolder(stale) !== holder) linkSync(stale, lock)
  } catch {
    // Another process was faster.
  } finally {
    rmSync(stale, { force: true })
  }
}

function readHolder(lock: string): number | undefined {
  try {
    return Number(readFileSync(lock, 'utf8'))
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Blocks the thread: what is locked are some files, for milliseconds. */
function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs)
}
