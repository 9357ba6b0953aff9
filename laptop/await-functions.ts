import { setTimeout as delay } from 'node:timers/promises'
import { Refusal } from '../core/errors.ts'
import type { NatsConnection } from '../nats/connect.ts'
import { askFunctionStates } from '../nats/function-states.ts'

const pauseMs = 20

/** Returns when every function answers through its leafnode; refuses by naming those that do not. */
export async function awaitFunctions(
  connection: NatsConnection,
  names: readonly string[],
  { deadlineMs, signal }: { deadlineMs: number; signal?: AbortSignal | undefined },
): Promise<void> {
  const deadline = performance.now() + deadlineMs
  for (;;) {
    const patience = { expected: names.length, stallMs: 100, deadlineMs: 500 }
    const states = await askFunctionStates(connection, patience)
    const there = new Set(states.map(({ region, door }) => `${region}-${door}`))
    const missing = names.filter((name) => !there.has(name))
    if (missing.length === 0) return
    if (performance.now() > deadline)
      throw new Refusal(
        'ERR_DEADLINE',
        `functions silent for ${deadlineMs} ms: ${missing.join(', ')}`,
      )
    await delay(pauseMs, undefined, { signal })
  }
}
