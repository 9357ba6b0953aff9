// Which functions are there, which deny list each of them holds, and which keys it signs with.
import { NoRespondersError, TimeoutError, type NatsConnection } from '@nats-io/nats-core'
import { denyListSubject } from '../core/network/access-subject.ts'

export interface FunctionState {
  readonly region: string
  readonly door: string
  readonly nkey: string
  /** Its machine and process: replicas of a door may share a key. Older functions do not say it. */
  readonly replica?: string
  /** By role the public key that it signs with; as the replica. */
  readonly signers?: Readonly<Record<string, string>>
  readonly sequence: number
  readonly digest: string
  /** Why it kept its own list instead of the one that came. */
  readonly refusal?: string
}

/** Asks all functions, or hands all of them a deny list; silence of `stallMs` or `expected` answers end it. */
export async function askFunctionStates(
  connection: NatsConnection,
  options: { denyList?: string; expected?: number; stallMs?: number; deadlineMs?: number } = {},
): Promise<FunctionState[]> {
  const { denyList = '', expected = 1_000, stallMs = 300, deadlineMs = 2_000 } = options
  const states: FunctionState[] = []
  try {
    const answers = await connection.requestMany(denyListSubject, denyList, {
      strategy: 'stall',
      stall: stallMs,
      maxMessages: expected,
      maxWait: deadlineMs,
    })
    for await (const answer of answers) if (answer.data.length > 0) states.push(answer.json())
  } catch (error) {
    // Nobody there is an answer too; but answers that came before a deadline count.
    if (!(error instanceof NoRespondersError || error instanceof TimeoutError)) throw error
  }
  return states
}
