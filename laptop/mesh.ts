import { setTimeout as delay } from 'node:timers/promises'
import type { NatsConnection } from '../nats/connect.ts'
import { Refusal } from '../core/errors.ts'
import {
  compareTopology,
  type ExpectedNetwork,
  type Finding,
  type ObservedServer,
} from '../core/network/topology.ts'
import { observeNetwork } from '../nats/observe-network.ts'
import { pingServers } from '../nats/system.ts'

export interface MeshOptions {
  /** Connects an observer of the system account to whichever server is there. */
  readonly connect: () => Promise<NatsConnection>
  readonly deadlineMs: number
  readonly signal?: AbortSignal
  /** Findings that need not be gone. */
  readonly mayRemain?: (finding: Finding) => boolean
}

interface Look {
  readonly observed: readonly ObservedServer[]
  readonly findings: readonly Finding[]
}

/** Returns as soon as the servers report nothing but what is expected; refuses with what was still missing. */
export async function awaitMesh(
  expected: ExpectedNetwork,
  options: MeshOptions,
): Promise<readonly ObservedServer[]> {
  const { deadlineMs, mayRemain = () => false } = options
  const timeout = AbortSignal.timeout(deadlineMs)
  const signal = AbortSignal.any([timeout, ...(options.signal ? [options.signal] : [])])
  let last: readonly Finding[] = []
  try {
    await using connection = await connectSoon(options.connect, signal)
    for (;;) {
      const { observed, findings } = await look(connection, expected, mayRemain)
      last = findings
      if (findings.length === 0) return observed
      await delay(pauseMs, undefined, { signal })
    }
  } catch (error) {
    options.signal?.throwIfAborted()
    if (timeout.aborted) throw notMeshed(deadlineMs, last)
    throw error
  }
}

const pauseMs = 20
const attemptMs = 1000

/** A server that hangs takes the connection and says nothing: then another one is tried. */
async function connectSoon(
  connect: () => Promise<NatsConnection>,
  signal: AbortSignal,
): Promise<NatsConnection> {
  for (;;) {
    const dialled = connect()
    const attempt = AbortSignal.any([signal, AbortSignal.timeout(attemptMs)])
    try {
      return await Promise.race([dialled, rejectOn(attempt)])
    } catch {
      if (attempt.aborted) void dialled.then((late) => late.close()).catch(() => {})
      await delay(pauseMs, undefined, { signal })
    }
  }
}

function rejectOn(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

/** While servers are missing, the cheap question is enough. */
async function look(
  connection: NatsConnection,
  expected: ExpectedNetwork,
  mayRemain: (finding: Finding) => boolean,
): Promise<Look> {
  const names = expected.regions.flatMap(({ servers }) => servers)
  const patience = { expected: names.length, deadlineMs: 500 }
  const answers = await pingServers(connection, { ...patience, stallMs: 30 })
  const absent = names
    .filter((name) => !answers.some((answer) => answer.name === name))
    .map(missing)
    .filter((finding) => !mayRemain(finding))
  if (absent.length > 0) return { observed: [], findings: absent }
  const observed = await observeNetwork(connection, { ...patience, stallMs: 200 })
  const findings = compareTopology(expected, observed).filter((finding) => !mayRemain(finding))
  return { observed, findings }
}

const missing = (subject: string): Finding => ({
  ...{ code: 'server-missing', subject, message: `${subject}: no answer` },
})

function notMeshed(deadlineMs: number, findings: readonly Finding[]): Refusal {
  const shown = findings.slice(0, 3).map(({ message }) => message)
  const more = findings.length > shown.length ? ` and ${findings.length - shown.length} more` : ''
  const what = shown.length === 0 ? 'no server lets the observer in' : shown.join('; ')
  return new Refusal('ERR_NOT_MESHED', `no whole mesh within ${deadlineMs} ms: ${what}${more}`)
}
