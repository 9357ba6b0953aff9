// The one line of work of a function process: requests of all triggers, each source in its turn.
import { makeFairQueue, type FairQueue } from '../../core/access/fair-queue.ts'
import {
  refuseUnread,
  type ProvisioningAnswer,
  type ProvisioningRequest,
} from '../provision-credentials.ts'
import { Refusal } from '../../core/errors.ts'
import type { FunctionDoor } from '../../core/network/access-subject.ts'
import type { Audit } from './audit.ts'

export interface Work {
  /** Answers when it is this source's turn, or refuses at once where too many wait. Never rejects. */
  answer(request: ProvisioningRequest): Promise<ProvisioningAnswer>
  /** How many requests of others had their turn: who is busy gets on, who hangs does not. */
  readonly answered: number
}
export interface Job {
  readonly request: ProvisioningRequest
  readonly done: (answer: ProvisioningAnswer) => void
}
export interface WorkOptions {
  readonly door: FunctionDoor
  readonly audit: Pick<Audit, 'unread'>
  readonly queue?: FairQueue<Job>
}
export type Handle = (
  request: ProvisioningRequest,
) => ProvisioningAnswer | Promise<ProvisioningAnswer>

/** Between two looks at what arrived meanwhile: so long one may be in front of others. */
const turnMs = 2
/** As many as keep the threads busy that verify signatures; all others wait for their turn. */
const inHandMax = 32

export function startWork(
  handle: Handle,
  { door, audit, queue = makeFairQueue<Job>() }: WorkOptions,
): Work {
  const error = new Refusal('ERR_BUSY', 'too many requests wait from here')
  const busy = refuseUnread(error, door)
  const refuse = ({ caller, kind }: ProvisioningRequest): ProvisioningAnswer => {
    audit.unread(caller, { error, kind })
    return busy
  }
  const state = { inHand: 0, answered: 0, isTurnDue: false }
  const finished: (() => void)[] = []
  const isLast = (): boolean => queue.size === 0 && state.inHand === 0
  const takeTurn = (): void => {
    state.isTurnDue = false
    // All that is finished leaves together: each write to the socket costs as much as a signature.
    for (const deliver of finished.splice(0)) deliver()
    const end = performance.now() + turnMs
    while (state.inHand < inHandMax && queue.size > 0 && performance.now() < end)
      void take(queue.shift() as Job)
    if (queue.size > 0 && state.inHand < inHandMax) awaitTurn()
  }
  const awaitTurn = (): void => {
    if (state.isTurnDue) return
    state.isTurnDue = true
    // What has arrived meanwhile is read first, so that its senders get their turn.
    setImmediate(takeTurn)
  }
  const take = async ({ request, done }: Job): Promise<void> => {
    state.inHand += 1
    const isAlone = state.inHand === 1 && queue.size === 0
    const answer = await settle(handle, { ...request, isAlone }, door)
    state.inHand -= 1
    if (request.caller.trigger !== 'self') state.answered += 1
    finished.push(() => done(answer))
    if (isLast()) takeTurn()
    else awaitTurn()
  }
  return {
    answer(request) {
      const { promise, resolve: done } = Promise.withResolvers<ProvisioningAnswer>()
      if (!queue.push(request.caller.source, { request, done }))
        return Promise.resolve(refuse(request))
      awaitTurn()
      return promise
    },
    get answered() {
      return state.answered
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
