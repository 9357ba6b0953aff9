// Many answers to one question.
import type { Msg, NatsConnection } from '@nats-io/nats-core'

export interface GatherOptions {
  /** With so many answers it is over; without it, only silence ends it. */
  readonly expected?: number
  /** Silence after an answer that ends it. */
  readonly stallMs?: number
  readonly deadlineMs?: number
  /** The fields that nats-server's monitoring knows, such as `{ account }` or `{ auth: true }`. */
  readonly options?: Readonly<Record<string, unknown>>
}

const defaultStallMs = 500
export const defaultDeadlineMs = 2000

/** Ends with the expected count, after a stall, or at the deadline, whichever is first. */
export async function gather(
  connection: NatsConnection,
  subject: string,
  payload: string,
  options: GatherOptions,
): Promise<Msg[]> {
  const { expected = Infinity, stallMs = defaultStallMs, deadlineMs = defaultDeadlineMs } = options
  const maxWait = Math.max(1, deadlineMs)
  const answers = await connection.requestMany(subject, payload, {
    ...{ strategy: 'stall', stall: stallMs, maxWait },
  })
  const messages: Msg[] = []
  for await (const message of answers) {
    messages.push(message)
    if (messages.length >= expected) break
  }
  return messages
}
