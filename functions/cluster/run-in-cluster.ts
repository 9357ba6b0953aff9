// How a program of a cluster ends: its last words are where Kubernetes shows them.
import { writeFileSync } from 'node:fs'

const terminationLog = '/dev/termination-log'

/** Runs it; a failure is one line on standard error and in the state of its pod, and exit code 1. */
export function runInCluster(name: string, main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    const reason = `${name}: ${error instanceof Error ? error.message : String(error)}`
    console.error(reason)
    leaveWord(reason)
    process.exitCode = 1
  })
}

function leaveWord(reason: string): void {
  try {
    writeFileSync(terminationLog, reason)
  } catch {
    // Outside of a pod there is none.
  }
}
