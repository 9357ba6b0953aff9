// The trust of a running function: files that change under it, and deny lists pushed to it.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { requireNotOlder } from '../../core/trust/configuration.ts'
import { parseDenyList, succeedDenyList, type DenyList } from '../../core/trust/deny-list.ts'
import type { FunctionDoor } from '../../core/network/access-subject.ts'
import {
  readFunctionTrust,
  type FunctionFolders,
  type FunctionTrust,
} from '../../store/function-trust.ts'

export interface TrustSource extends Disposable {
  current(): FunctionTrust
  /** Takes a pushed deny list; refuses a foreign or older one and keeps its own. */
  offerDenyList(text: string): DenyList
  /** Reads the files again; keeps the last good trust where they are not. */
  reload(): void
}

export function openTrustSource(
  folders: FunctionFolders,
  {
    door,
    report,
    pollMs = 1_000,
  }: { door: FunctionDoor; report: (line: string) => void; pollMs?: number },
): TrustSource {
  let trust = readFunctionTrust(folders, door)
  let stamp = stampOf(folders)
  const reload = (): void => {
    stamp = stampOf(folders)
    try {
      const read = readFunctionTrust(folders, door)
      requireNotOlder(trust.configuration, read.configuration)
      trust = { ...read, denyList: newer(trust.denyList, read.denyList) }
    } catch (error) {
      report(`keeping the trust of before: ${String(error)}`)
    }
  }
  const timer = setInterval(() => {
    if (stampOf(folders) !== stamp) reload()
  }, pollMs).unref()
  return {
    current: () => trust,
    offerDenyList(text) {
      const denyList = succeedDenyList(trust.denyList, parseDenyList(text, trust.operator))
      trust = { ...trust, denyList }
      return denyList
    },
    reload,
    [Symbol.dispose]: () => clearInterval(timer),
  }
}

/** A file can be older than what was pushed meanwhile. */
function newer(held: DenyList, read: DenyList): DenyList {
  return read.claims.nats.sequence > held.claims.nats.sequence ? read : held
}

/** Polling, for a mounted ConfigMap changes by a symbolic link that watchers do not see. */
function stampOf({ publicFolder, keysFolder }: FunctionFolders): string {
  const watched = [
    publicFolder,
    join(publicFolder, 'accounts'),
    keysFolder,
    join(keysFolder, 'signing'),
  ]
  return watched.map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs).join()
}
