import { setTimeout as delay } from 'node:timers/promises'

/** Resolves when it is done, whichever way, or when this time is over. */
export async function within(ms: number, done: Promise<unknown>): Promise<void> {
  const timer = new AbortController()
  const late = delay(ms, undefined, { signal: timer.signal })
  await Promise.race([done, late]).catch(() => {})
  timer.abort()
  await late.catch(() => {})
}

/** Resolves after this time, or when it is aborted. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {})
}
