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
    let turn = performance.now()
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      job.done(await settle(handle, job.request, door))
      if (performance.now() - turn < turnMs) continue
      await new Promise(setImmediate)
      turn = performance.now()
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

async function settle(
  handle: Handle,
  request: ProvisioningRequest,
  door: FunctionDoor,
): Promise<ProvisioningAnswer> {
  try {
    return await handle(request)
  } catch (error) {
    return refuseUnread(error, door)
  }
}
