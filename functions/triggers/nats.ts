// The NATS trigger: the function behind its region's leafnode, in the queue group of its door.
import {
  accessSubject,
  exchangeSubject,
  renewSubject,
  serviceName,
} from '../../core/network/access-subject.ts'
import { Refusal } from '../../core/errors.ts'
import type { FunctionDoor } from '../../core/network/access-subject.ts'
import type { Msg, NatsConnection, Subscription } from '../../nats/connect.ts'
import {
  announceService,
  respondError,
  type Service,
  type ServiceEndpoint,
} from '../../nats/service.ts'
import type { Audit, Caller } from '../provisioning/audit.ts'
import {
  refuseUnread,
  type ProvisioningAnswer,
  type ProvisioningRequest,
} from '../provision-credentials.ts'
import type { Work } from '../provisioning/work.ts'
import { callerOf, isHidden } from './caller.ts'

const version = '0.1.0'

export interface NatsDoor {
  readonly region: string
  readonly door: FunctionDoor
  /** The function's own, at its leafnode server. */
  readonly nkey: string
}
export interface NatsWork {
  readonly work: Work
  readonly audit: Audit
  /** The subject on which the function asks itself. */
  readonly self: string
}
export interface NatsTrigger extends AsyncDisposable {
  /** Joins the queue groups, or leaves them: requests then go to another region. */
  setServing(isServing: boolean): void
}

/** Answers itself at once, and others from `setServing` on; what came before disposal is answered. */
export function serveNats(
  nc: NatsConnection,
  door: NatsDoor,
  { work, audit, self: asksItself }: NatsWork,
): NatsTrigger {
  const endpoints = endpointsOf(door)
  const service = announce(nc, door, endpoints)
  const answering = new Set<Promise<void>>()
  const serve = (served: Served, caller: (msg: Msg) => Caller, on: typeof service | undefined) =>
    subscribe(nc, served, (msg) => {
      const answered = answerOne(msg, { ...served, door, caller: caller(msg), work, audit, on })
      answering.add(answered)
      void answered.then(() => answering.delete(answered))
    })
  const [{ kind, endpoint }] = endpoints
  const self = serve(
    { kind, endpoint: { ...endpoint, subject: asksItself } },
    () => ({ trigger: 'self', source: 'self' }),
    undefined,
  )
  let serving: Subscription[] = []
  return {
    setServing(isServing) {
      if (isServing === serving.length > 0) return
      // Drained, so that what has arrived is not lost with the place in the queue.
      if (!isServing) void drain(serving)
      serving = isServing ? endpoints.map((each) => serve(each, callerOf, service)) : []
    },
    async [Symbol.asyncDispose]() {
      // Drained, not unsubscribed: what the server has already sent is still answered.
      await drain(serving)
      await Promise.all(answering)
      self.unsubscribe()
      service[Symbol.dispose]()
    },
  }
}

async function answerOne(
  msg: Msg,
  {
    endpoint,
    kind,
    door,
    caller,
    work,
    audit,
    on,
  }: Served & { door: NatsDoor; caller: Caller; on: Service | undefined } & Omit<NatsWork, 'self'>,
): Promise<void> {
  const started = process.hrtime.bigint()
  const isRead = !isHidden(msg, caller)
  if (!isRead) audit.unread(caller, { error: hidden, kind })
  const answer = isRead
    ? await work.answer({ kind, bytes: msg.data, caller })
    : refuseUnread(hidden, door.door)
  const isSent = hasResponded(msg, answer)
  const spent = Number(process.hrtime.bigint() - started)
  const refused = answer.isGranted ? undefined : answer.refusal.code
  on?.count(endpoint.name, spent, isSent ? refused : 'ERR_NO_ANSWER')
}

/** Nobody is served of whom no audit line could say who it was. */
const hidden = new Refusal('ERR_CALLER_UNKNOWN', 'headers of the request hide who sent it')

type Served = {
  readonly endpoint: ServiceEndpoint
  readonly kind: ProvisioningRequest['kind']
}

function endpointsOf({ region, door }: NatsDoor): [Served, ...Served[]] {
  const served = (name: string, subject: string, kind: Served['kind']): Served => ({
    endpoint: { name, subject, queue: `${serviceName}-${door}` },
    kind,
  })
  if (door === 'identity')
    return [served(`exchange-${region}`, exchangeSubject(region), 'sealed-exchange')]
  const access = served('access', accessSubject(door), 'access')
  const accessHere = served(`access-${region}`, accessSubject(door, region), 'access')
  if (door === 'legacy') return [access, accessHere]
  return [
    access,
    accessHere,
    served('renew', renewSubject(door), 'renewal'),
    served(`renew-${region}`, renewSubject(door, region), 'renewal'),
  ]
}

function announce(nc: NatsConnection, door: NatsDoor, endpoints: readonly Served[]): Service {
  const description = `issues credentials at the ${door.door} door of ${door.region}`
  const metadata = { ...door, pid: String(process.pid) }
  return announceService(
    nc,
    { name: serviceName, version, description, metadata },
    endpoints.map(({ endpoint }) => endpoint),
  )
}

function subscribe(
  nc: NatsConnection,
  { endpoint: { subject, queue } }: Served,
  answer: (msg: Msg) => void,
): Subscription {
  return nc.subscribe(subject, {
    queue,
    callback: (error, msg) => {
      // Whoever cannot be answered is no work.
      if (error === null && msg.reply) answer(msg)
    },
  })
}

/** False where it cannot be sent, such as what is larger than the server takes: nobody can be told so. */
function hasResponded(msg: Msg, answer: ProvisioningAnswer): boolean {
  try {
    if (answer.isGranted) msg.respond(answer.body)
    else respondError(msg, answer.refusal, answer.body)
    return true
  } catch {
    return false
  }
}

/** What has arrived is still answered; of a connection that has ended there is nothing left. */
async function drain(subscriptions: readonly Subscription[]): Promise<void> {
  await Promise.allSettled(subscriptions.map((each) => each.drain()))
}
