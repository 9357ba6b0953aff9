// The one line of work of a function process: requests of all triggers, each source in its turn.
import { makeFairQueue, type FairQueue } from '../../core/access/fair-queue.ts'
import {
  refuseUnread,
  type ProvisioningAnswer,
  type ProvisioningRequest,
} from '../provision-credentials.ts'
import { Refusal } from '../../core/errors.ts'
import type { FunctionDoor } from '../../core/network/access-subject.ts'

export interface Work {
  /** Answers when it is this source's turn, or refuses at once where too many wait. Never rejects. */
  answer(request: ProvisioningRequest): Promise<ProvisioningAnswer>
  /** Resolves when nothing waits any more. */
  idle(): Promise<void>
  /** How many requests had their turn: who is busy gets on, who hangs does not. */
  readonly answered: number
}
export interface Job {
  readonly request: ProvisioningRequest
  readonly done: (answer: ProvisioningAnswer) => void
}
export type Handle = (
  request: ProvisioningRequest,
) => ProvisioningAnswer | Promise<ProvisioningAnswer>

/** Between two looks at what arrived meanwhile: so long one may be in front of others. */
const turnMs = 2

export function startWork(
  handle: Handle,
  { door, queue = makeFairQueue<Job>() }: { door: FunctionDoor; queue?: FairQueue<Job> },
): Work {
  const busy = refuseUnread(new Refusal('ERR_BUSY', 'too many requests wait from here'), door)
  let running: Promise<void> | undefined
  let answered = 0
  const run = async (): Promise<void> => {
    while (queue.size > 0) {
      // What has arrived meanwhile is read first, so that its senders get their turn.
      await new Promise(setImmediate)
      answered += await takeTurn(queue, (request) => settle(handle, request, door))
    }
    running = undefined
  }
  return {
    answer(request) {
      const { promise, resolve: done } = Promise.withResolvers<ProvisioningAnswer>()
      if (!queue.push(request.caller.source, { request, done })) return Promise.resolve(busy)
      running ??= run()
      return promise
    },
    async idle() {
      while (running !== undefined) await running
    },
    get answered() {
      return answered
    },
  }
}

/** Without a pause between two jobs: answers that come at once leave in one write to the socket. */
async function takeTurn(queue: FairQueue<Job>, answerOne: Handle): Promise<number> {
  const end = performance.now() + turnMs
  let answered = 0
  do {
    const job = queue.shift()
    if (job === undefined) return answered
    const answer = answerOne(job.request)
    job.done(answer instanceof Promise ? await answer : answer)
    answered += 1
  } while (performance.now() < end)
  return answered
}

function settle(
  handle: Handle,
  request: ProvisioningRequest,
  door: FunctionDoor,
): ReturnType<Handle> {
  const refuse = (error: unknown): ProvisioningAnswer => refuseUnread(error, door)
  try {
    const answer = handle(request)
    return answer instanceof Promise ? answer.catch(refuse) : answer
  } catch (error) {
    return refuse(error)
  }
}
