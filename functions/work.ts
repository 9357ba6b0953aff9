// The one line of work of a function process: requests of all triggers, each source in its turn.
import { makeFairQueue, type FairQueue } from '../core/access/fair-queue.ts'
import {
  refuseUnread,
  type ProvisioningAnswer,
  type ProvisioningRequest,
} from './provision-credentials.ts'
import type { FunctionDoor } from '../core/network/access-subject.ts'

export interface Work {
  /** Answers when it is this source's turn, or refuses at once where too many wait. Never rejects. */
  answer(request: ProvisioningRequest): Promise<ProvisioningAnswer>
  /** Resolves when nothing waits any more. */
  idle(): Promise<void>
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
  let running: Promise<void> | undefined
  const run = async (): Promise<void> => {
    while (queue.size > 0) {
      // What has arrived meanwhile is read first, so that its senders get their turn.
      await new Promise(setImmediate)
      await takeTurn(queue, handle, door)
    }
    running = undefined
  }
  return {
    answer(request) {
      const { promise, resolve } = Promise.withResolvers<ProvisioningAnswer>()
      try {
        queue.push(request.caller.source, { request, done: resolve })
      } catch (error) {
        return Promise.resolve(refuseUnread(error, door))
      }
      running ??= run()
      return promise
    },
    async idle() {
      while (running !== undefined) await running
    },
  }
}

/** Without a pause between two jobs: answers that come at once leave in one write to the socket. */
async function takeTurn(queue: FairQueue<Job>, handle: Handle, door: FunctionDoor): Promise<void> {
  const end = performance.now() + turnMs
  do {
    const job = queue.shift()
    if (job === undefined) return
    const answer = settle(handle, job.request, door)
    job.done(answer instanceof Promise ? await answer : answer)
  } while (performance.now() < end)
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
