import { type ProcessSpec, type RunningProcess, startProcess } from '../laptop/process.ts'

const graceMs = 3_000

/** A process for as long as it is in use. */
export function startChild(spec: ProcessSpec): RunningProcess & AsyncDisposable {
  const running = startProcess(spec)
  return {
    ...running,
    async [Symbol.asyncDispose]() {
      running.signal('SIGTERM')
      const timer = setTimeout(() => running.signal('SIGKILL'), graceMs)
      await running.exited
      clearTimeout(timer)
    },
  }
}
