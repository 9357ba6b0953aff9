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
  /** Connects an observer of the system account to one of the servers, another one at each attempt. */
  readonly connect: (attempt: number) => Promise<NatsConnection>
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
  const { deadlineMs, signal = new AbortController().signal } = options
  const deadline = performance.now() + deadlineMs
  const given = rejectOn(signal)
  await using connection = await Promise.race([connectBefore(deadline, options), given])
  for (;;) {
    const isLast = performance.now() > deadline
    const stallMs = isLast ? patientMs : eagerMs
    const seen = await Promise.race([look(connection, expected, { ...options, stallMs }), given])
    if (seen.findings.length === 0) return seen.observed
    if (isLast) throw notMeshed(deadlineMs, seen.findings)
    await Promise.race([delay(pauseMs), given])
  }
}

const pauseMs = 20
const attemptMs = 1000
// Answers come close together; the last look names what is missing, so it waits for stragglers.
const eagerMs = 30
const patientMs = 500
const shownMax = 3

/** A server that hangs takes the connection and says nothing: then another one is tried. */
async function connectBefore(
  deadline: number,
  { connect, deadlineMs, signal }: MeshOptions,
): Promise<NatsConnection> {
  let reason = ''
  for (let attempt = 0; performance.now() < deadline && !signal?.aborted; attempt += 1) {
    const dialled = connect(attempt)
    try {
      return await Promise.race([dialled, rejectOn(AbortSignal.timeout(attemptMs))])
    } catch (error) {
      if (error instanceof Refusal) reason = `: ${error.message}`
      void dialled.then((late) => late.close()).catch(() => {})
      await delay(pauseMs)
    }
  }
  const what = `no whole mesh within ${deadlineMs} ms: no server lets the observer in${reason}`
  throw new Refusal('ERR_NOT_MESHED', what)
}

function rejectOn(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  promise.catch(() => {})
  return promise
}

/** While servers are missing, the cheap question is enough. */
async function look(
  connection: NatsConnection,
  expected: ExpectedNetwork,
  { mayRemain = () => false, stallMs }: Pick<MeshOptions, 'mayRemain'> & { stallMs: number },
): Promise<Look> {
  const names = expected.regions.flatMap(({ servers }) => servers)
  const patience = { expected: names.length, deadlineMs: 500 }
  const answers = await pingServers(connection, { ...patience, stallMs })
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
  const silent = findings.filter(({ code }) => code === 'server-missing')
  const others = findings.filter(({ code }) => code !== 'server-missing')
  const names = silent.map(({ subject }) => subject).join(', ')
  const shown = others.slice(0, shownMax).map(({ message }) => message)
  const faults = [...(names === '' ? [] : [`no answer from ${names}`]), ...shown]
  const more = others.length > shownMax ? `; ${others.length - shownMax} more` : ''
  const what = `no whole mesh within ${deadlineMs} ms: ${faults.join('; ')}${more}`
  return new Refusal('ERR_NOT_MESHED', what)
}
