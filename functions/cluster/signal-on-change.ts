import { readFileSync } from 'node:fs'
import { stampOf, watchFiles } from '../certificates/watch-files.ts'
import { reportOnce } from './report-once.ts'
import { takeAccounts } from './take-accounts.ts'
import type { WatchEnvironment } from './watch-environment.ts'

export interface Signalling {
  readonly report: (line: string) => void
  readonly pollMs?: number
}

/**
 * Sends SIGHUP after each change, until it is disposed. A change while no server runs, or one that is
 * just starting, is told as soon as there is one: it may have read the file of before.
 */
export function signalOnChange(
  { adoptionFiles, certificateFiles, otherFiles, accountFiles, processFile }: WatchEnvironment,
  { report, pollMs = 5000 }: Signalling,
): Disposable {
  const kept = accountFiles === undefined ? [] : [accountFiles.kept]
  const files = [...adoptionFiles, ...certificateFiles, ...otherFiles, ...kept]
  const once = reportOnce(report)
  const take = () => accountFiles && takeAccounts(accountFiles, once)
  const stamps = () => new Map(files.map((file) => [file, stampOf([file])]))
  take()
  let told = stamps()
  const look = (): void => {
    take()
    const now = stamps()
    const changed = files.filter((file) => now.get(file) !== told.get(file))
    if (changed.length === 0 || !tellServer(processFile)) return
    told = now
    report(`told nats-server to read again: ${changed.join(', ')}`)
  }
  return watchFiles(files, look, { pollMs })
}

/** False when there is no server to tell. Without a file of its id there never is one. */
function tellServer(processFile: string | undefined): boolean {
  if (processFile === undefined) return true
  const id = serverId(processFile)
  if (id === undefined) return false
  try {
    return process.kill(id, 'SIGHUP')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

/** A container that was killed leaves its id behind, which may be anybody's by now: SIGHUP would end them. */
function serverId(processFile: string): number | undefined {
  try {
    const id = readFileSync(processFile, 'utf8').trim()
    if (!/^[1-9]\d*$/.test(id)) return undefined
    return readFileSync(`/proc/${id}/comm`, 'utf8') === 'nats-server\n' ? Number(id) : undefined
  } catch {
    return undefined
  }
}
