// Regions' authorities are rolled when little is left of them, while the network runs.
import { setTimeout as delay } from 'node:timers/promises'
import { Refusal } from '../../core/errors.ts'

const lookMs = 10 * 60_000

/** Looks until disposed; what fails, or finds the network busy, is tried at the next look. */
export function keepAuthorities(
  rollDue: () => Promise<void>,
  report: (line: string) => void,
  { pauseMs = lookMs }: { readonly pauseMs?: number } = {},
): AsyncDisposable {
  const stop = new AbortController()
  const { signal } = stop
  const looking = (async () => {
    while (await delay(pauseMs, true, { signal }).catch(() => false))
      await rollDue().catch((error: unknown) => tell(error, report))
  })()
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await looking
    },
  }
}

function tell(error: unknown, report: (line: string) => void): void {
  if (error instanceof Refusal && error.code === 'ERR_BUSY') return
  const reason = error instanceof Error ? error.message : String(error)
  report(`an authority is not replaced: ${reason}`)
}
