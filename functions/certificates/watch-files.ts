// Hears of files that change. Both ways, for each fails alone: watchers miss events, most of all where a
// mounted Secret changes by a symbolic link, and polling is late.
import { statSync, watch, type FSWatcher } from 'node:fs'
import { dirname } from 'node:path'

const settleMs = 20

/** Calls `look` every `pollMs`, and soon after anything happened in a folder of these files. */
export function watchFiles(
  paths: readonly string[],
  look: () => void,
  { pollMs }: { pollMs: number },
): Disposable {
  const poll = setInterval(look, pollMs).unref()
  let soon: NodeJS.Timeout | undefined
  const hear = (): void => {
    soon ??= setTimeout(() => {
      soon = undefined
      look()
    }, settleMs).unref()
  }
  const folders = new Set(paths.map((path) => dirname(path)))
  const watchers = [...folders].flatMap((folder) => startWatcher(folder, hear) ?? [])
  return {
    [Symbol.dispose]() {
      clearInterval(poll)
      clearTimeout(soon)
      for (const watcher of watchers) watcher.close()
    },
  }
}

/** None where the system has no more of them: then polling has to do. */
function startWatcher(folder: string, hear: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, hear)
    watcher.on('error', () => watcher.close())
    return watcher
  } catch {
    return undefined
  }
}

/** Other than before when one of them was written or replaced, also behind a symbolic link. */
export function stampOf(paths: readonly string[]): string {
  return paths.map(stampOfFile).join()
}

function stampOfFile(path: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(path)
    return `${mtimeMs} ${size} ${ino}`
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code)
  }
}
