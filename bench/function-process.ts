// The bundled function as a process, and how long it takes to its first answer.
import { setTimeout as delay } from 'node:timers/promises'
import { createInbox } from '@nats-io/nats-core'
import { Refusal } from '../core/errors.ts'
import { prepareFunction } from '../laptop/functions.ts'
import type { ProcessSpec, RunningProcess } from '../laptop/process.ts'
import type { NatsConnection } from '../nats/connect.ts'
import { startChild } from './child.ts'

const deadlineMs = 10_000
const pauseMs = 1
const nobodyThere = 503

export interface FirstRequest {
  readonly subject: string
  readonly bytes: Uint8Array
}
export interface StartedFunction extends AsyncDisposable {
  readonly pid: number
  /** From the spawn to the answer. */
  readonly tookMs: number
  readonly firstAnswer: Uint8Array
}

/** Starts the function and asks until it answers: while it is not there, the server says so at once. */
export async function startFunctionProcess(
  spec: ProcessSpec,
  nc: NatsConnection,
  first: FirstRequest,
): Promise<StartedFunction> {
  prepareFunction(spec)
  const started = performance.now()
  const child = startChild(spec)
  try {
    const firstAnswer = await Promise.race([firstAnswerTo(nc, first), failure(child)])
    const tookMs = performance.now() - started
    const stop = () => child[Symbol.asyncDispose]()
    return { pid: child.pid, tookMs, firstAnswer, [Symbol.asyncDispose]: stop }
  } catch (error) {
    await child[Symbol.asyncDispose]()
    throw error
  }
}

async function firstAnswerTo(nc: NatsConnection, first: FirstRequest): Promise<Uint8Array> {
  const deadline = performance.now() + deadlineMs
  while (performance.now() < deadline) {
    const answer = await ask(nc, first)
    if (answer !== undefined) return answer
    await delay(pauseMs)
  }
  throw new Refusal('ERR_DEADLINE', `function silent for ${deadlineMs} ms`)
}

function ask(
  nc: NatsConnection,
  { subject, bytes }: FirstRequest,
): Promise<Uint8Array | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array | undefined>()
  const inbox = createInbox()
  nc.subscribe(inbox, {
    max: 1,
    callback: (error, msg) => {
      if (error !== null) reject(error)
      else resolve(msg.headers?.code === nobodyThere ? undefined : msg.data)
    },
  })
  nc.publish(subject, bytes, { reply: inbox })
  return promise
}

async function failure({ exited }: RunningProcess): Promise<never> {
  const { code, lastLine } = await exited
  throw new Refusal('ERR_SERVER_FAILED', `function ended with ${code}: ${lastLine}`)
}
