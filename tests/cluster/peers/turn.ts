// One builder at a time: two that compile the same would take twice as long, not half.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

const pauseMs = 500

/** Waits until no living process holds the turn. */
export async function takeTurn(
  file: string,
  report: (line: string) => void,
): Promise<AsyncDisposable> {
  let told: number | undefined
  while (!hold(file)) {
    const holder = Number(read(file))
    if (!isAlive(holder)) rmSync(file, { force: true })
    else {
      if (told !== holder) report(`waiting for process ${holder}, which builds it`)
      told = holder
      await delay(pauseMs)
    }
  }
  return {
    [Symbol.asyncDispose]: () => {
      rmSync(file, { force: true })
      return Promise.resolve()
    },
  }
}

function hold(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function isAlive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
