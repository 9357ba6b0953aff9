import { setTimeout as delay } from 'node:timers/promises'
import type { NatsConnection } from '@nats-io/nats-core'
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
}

/** Returns as soon as the servers report nothing but what is expected; refuses with what was still missing. */
export async function awaitMesh(
  expected: ExpectedNetwork,
  { connect, deadlineMs, signal }: MeshOptions,
): Promise<ObservedServer[]> {
  const deadline = performance.now() + deadlineMs
  const connection = await connectBefore(deadline, connect, signal)
  try {
    for (;;) {
      const { observed, findings } = await look(connection, expected)
      if (observed !== undefined && findings.length === 0) return observed
      signal?.throwIfAborted()
      if (performance.now() > deadline) throw notMeshed(deadlineMs, findings)
      await delay(pauseMs, undefined, { signal })
    }
  } finally {
    await connection.close()
  }
}

const pauseMs = 20

async function connectBefore(
  deadline: number,
  connect: () => Promise<NatsConnection>,
  signal: AbortSignal | undefined,
): Promise<NatsConnection> {
  for (;;) {
    try {
      return await connect()
    } catch (error) {
      if (performance.now() > deadline) throw error
      await delay(pauseMs, undefined, { signal })
    }
  }
}

/** While servers are missing, the cheap question is enough. */
async function look(connection: NatsConnection, expected: ExpectedNetwork) {
  const names = expected.regions.flatMap(({ servers }) => servers)
  const patience = { expected: names.length, stallMs: 30, deadlineMs: 500 }
  const answers = await pingServers(connection, patience)
  const absent = names.filter((name) => !answers.some((answer) => answer.name === name))
  if (absent.length > 0) {
    const findings = absent.map((subject): Finding => {
      return { code: 'server-missing', subject, message: `${subject}: no answer` }
    })
    return { observed: undefined, findings }
  }
  const observed = await observeNetwork(connection, { ...patience, stallMs: 200 })
  return { observed, findings: compareTopology(expected, observed) }
}

function notMeshed(deadlineMs: number, findings: readonly Finding[]): Refusal {
  const shown = findings.slice(0, 3).map(({ message }) => message)
  const more = findings.length > shown.length ? ` and ${findings.length - shown.length} more` : ''
  return new Refusal(
    'ERR_NOT_MESHED',
    `no whole mesh within ${deadlineMs} ms: ${shown.join('; ')}${more}`,
  )
}
