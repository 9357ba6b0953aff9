// A function that cannot answer itself leaves the queue: a hung one would black out its region, for
// the servers send every retry to the same place.
import { setTimeout as delay } from 'node:timers/promises'

export interface Health extends AsyncDisposable {
  /** Why it does not serve, undefined while it does. */
  readonly problem: string | undefined
  /** Resolves when it serves for the first time, or is disposed before. */
  readonly ready: Promise<void>
}
export interface HealthOptions {
  /** Rejects with the reason when the function cannot answer. */
  readonly check: () => Promise<void>
  /** Instead of the first check, which then follows at once: what was known before. */
  readonly firstCheck?: () => Promise<void>
  /** Takes up the work of the queue. */
  readonly join: () => Promise<void>
  readonly leave: () => void
  readonly report: (line: string) => void
  readonly intervalMs: number
}

const failuresMax = 2

/** Checks again and again: joins after one success, leaves after two failures in a row. */
export function keepHealthy(options: HealthOptions): Health {
  const { intervalMs } = options
  const stop = new AbortController()
  const { promise: ready, resolve } = Promise.withResolvers<void>()
  const state: State = { isServing: false, failures: 0, problem: 'starting' }
  const watch = async (): Promise<void> => {
    let { firstCheck } = options
    while (!stop.signal.aborted) {
      await checkOnce(state, { ...options, check: firstCheck ?? options.check }, stop.signal)
      if (state.isServing) resolve()
      const isCheckDue = firstCheck !== undefined
      firstCheck = undefined
      if (isCheckDue) continue
      await delay(intervalMs, undefined, { signal: stop.signal }).catch(() => {})
    }
    resolve()
  }
  const watching = watch()
  return {
    ready,
    get problem() {
      return state.problem
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await watching
    },
  }
}

interface State {
  isServing: boolean
  failures: number
  problem: string | undefined
}

async function checkOnce(state: State, options: HealthOptions, signal: AbortSignal): Promise<void> {
  const { check, join, leave, report } = options
  try {
    await check()
    state.failures = 0
    if (state.isServing || signal.aborted) return
    await join()
    state.isServing = true
    state.problem = undefined
    report('is serving')
  } catch (error) {
    state.failures += 1
    if (state.isServing && state.failures < failuresMax) return
    const problem = error instanceof Error ? error.message : String(error)
    if (problem !== state.problem) report(`does not serve: ${problem}`)
    state.problem = problem
    if (state.isServing) leave()
    state.isServing = false
  }
}
