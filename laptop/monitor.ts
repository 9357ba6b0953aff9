import { setTimeout as delay } from 'node:timers/promises'
import { type Endpoint, formatHostPort } from '../core/network/endpoint.ts'

export interface LoadedConfiguration {
  readonly digest: string
  /** Changes with every reload that was taken, also when the file is the same. */
  readonly loadedAt: string
}

/** What a server of this machine runs; undefined when its monitoring port does not answer. */
export async function readLoaded({
  host,
  port,
}: Endpoint): Promise<LoadedConfiguration | undefined> {
  try {
    const signal = AbortSignal.timeout(answerMsMax)
    const response = await fetch(`http://${formatHostPort(host, port)}/varz`, { signal })
    const varz = (await response.json()) as { config_digest: string; config_load_time: string }
    return { digest: varz.config_digest, loadedAt: varz.config_load_time }
  } catch {
    return undefined
  }
}

const answerMsMax = 1000
const pauseMs = 10

/** Whether the server loads `digest` before the deadline, later than `before`. */
export async function loads(
  monitor: Endpoint,
  digest: string,
  { before, deadlineMs }: { before: LoadedConfiguration | undefined; deadlineMs: number },
): Promise<boolean> {
  const deadline = performance.now() + deadlineMs
  while (performance.now() < deadline) {
    const loaded = await readLoaded(monitor)
    if (loaded?.digest === digest && loaded.loadedAt !== before?.loadedAt) return true
    await delay(pauseMs)
  }
  return false
}
