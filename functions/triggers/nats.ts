// The NATS trigger: the function behind its region's leafnode, in the queue group of its door.
import { makeFairQueue } from '../../core/access/fair-queue.ts'
import { answerRefusal } from '../../core/access/status.ts'
import {
  accessSubject,
  denyListSubject,
  renewSubject,
  serviceName,
} from '../../core/network/access-subject.ts'
import { selfSubject } from '../../core/network/function-permissions.ts'
import { denyListState } from '../../core/trust/deny-list.ts'
import type { Msg, NatsConnection, Subscription } from '../../nats/connect.ts'
import {
  announceService,
  respondError,
  type Service,
  type ServiceEndpoint,
} from '../../nats/service.ts'
import type { Caller } from '../audit.ts'
import {
  provisionCredential,
  type Provisioning,
  type ProvisioningKind,
} from '../provision-credentials.ts'
import type { TrustSource } from '../trust-source.ts'

const version = '0.1.0'

interface Job {
  readonly msg: Msg
  readonly endpoint: ServiceEndpoint
  readonly kind: ProvisioningKind
  readonly caller: Caller
}
export interface NatsTrigger extends AsyncDisposable {
  /** Leaves the queue group (and takes it up again): requests then go to another region. */
  setServing(isServing: boolean): void
}

/** Serves until disposed; then whatever was received is still answered. */
export function serveNats(
  nc: NatsConnection,
  provisioning: Provisioning,
  { trust, nkey }: { trust: TrustSource; nkey: string },
): NatsTrigger {
  const { region, door } = provisioning
  const endpoints = endpointsOf(provisioning)
  const metadata = { region, door, nkey, pid: String(process.pid) }
  const description = `issues credentials at the ${door} door of ${region}`
  const service = announceService(
    nc,
    { name: serviceName, version, description, metadata },
    endpoints.map(({ endpoint }) => endpoint),
  )
  const work = makeWorker(provisioning, service)
  const self = nc.subscribe(selfSubject(nkey), {
    callback: (_, msg) =>
      work.push({ msg, ...endpoints[0], caller: { trigger: 'self', source: 'self' } }),
  })
  const denyList = serveDenyList(nc, trust, { region, door, nkey })
  let serving: Subscription[] = []
  const setServing = (isServing: boolean): void => {
    if (isServing === serving.length > 0) return
    if (!isServing) serving.forEach((each) => each.unsubscribe())
    serving = isServing ? subscribeAll(nc, endpoints, work) : []
  }
  setServing(true)
  return {
    setServing,
    async [Symbol.asyncDispose]() {
      // Drained, not unsubscribed: what the server has already sent is still answered.
      await Promise.all(serving.map((each) => each.drain()))
      await work.idle()
      for (const each of [self, denyList]) each.unsubscribe()
      service[Symbol.dispose]()
      await nc.drain()
    },
  }
}

type Served = { readonly endpoint: ServiceEndpoint; readonly kind: ProvisioningKind }

function endpointsOf({ region, door }: Provisioning): [Served, ...Served[]] {
  const serve = (name: string, subject: string, kind: ProvisioningKind): Served => ({
    endpoint: { name, subject, queue: `${serviceName}-${door}` },
    kind,
  })
  return [
    serve('access', accessSubject(door), 'access'),
    serve(`access-${region}`, accessSubject(door, region), 'access'),
    serve('renew', renewSubject(door), 'renewal'),
    serve(`renew-${region}`, renewSubject(door, region), 'renewal'),
  ]
}

function subscribeAll(
  nc: NatsConnection,
  endpoints: readonly Served[],
  work: Worker,
): Subscription[] {
  return endpoints.map(({ endpoint, kind }) =>
    nc.subscribe(endpoint.subject, {
      queue: endpoint.queue,
      callback: (error, msg) => {
        if (error === null) work.push({ msg, endpoint, kind, caller: callerOf(msg) })
      },
    }),
  )
}

interface Worker {
  push(job: Job): void
  idle(): Promise<void>
}

/** Takes the requests of one connection in their order, and those of all connections in turn. */
function makeWorker(provisioning: Provisioning, service: Service): Worker {
  const queue = makeFairQueue<Job>()
  let running: Promise<void> = Promise.resolve()
  let isRunning = false
  const run = async (): Promise<void> => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      answer(job, provisioning, service)
      // Between two jobs the newly arrived ones are read, so that their senders get their turn.
      await new Promise(setImmediate)
    }
    isRunning = false
  }
  return {
    push(job) {
      try {
        queue.push(job.caller.source, job)
      } catch (error) {
        const refusal = answerRefusal(error)
        respondError(job.msg, { ...refusal, body: refusal })
        return
      }
      if (isRunning) return
      isRunning = true
      running = run()
    },
    idle: () => running,
  }
}

function answer(
  { msg, endpoint, kind, caller }: Job,
  provisioning: Provisioning,
  service: Service,
): void {
  const started = process.hrtime.bigint()
  const result = provisionCredential({ kind, bytes: msg.data, caller }, provisioning)
  const spent = (): number => Number(process.hrtime.bigint() - started)
  if (result.isGranted) {
    msg.respond(JSON.stringify(result.body))
    service.count(endpoint.name, spent())
    return
  }
  const { refusal, nonce } = result
  respondError(msg, { ...refusal, body: { ...refusal, nonce } })
  service.count(endpoint.name, spent(), refusal.code)
}

/** What the requestor's server says of the connection, for the import is shared. */
function callerOf(msg: Msg): Caller {
  const text = msg.headers?.get('Nats-Request-Info')
  if (!text) return { trigger: 'nats', source: 'unknown' }
  try {
    const { user, server, id } = JSON.parse(text) as { user?: string; server?: string; id?: number }
    const known = {
      ...(user !== undefined && { nkey: user }),
      ...(server !== undefined && { server }),
    }
    return { trigger: 'nats', source: `${server ?? ''}#${id ?? ''}`, ...known }
  } catch {
    return { trigger: 'nats', source: 'unknown' }
  }
}

/** An empty message asks which list is held, any other brings one; both are answered with the state. */
function serveDenyList(
  nc: NatsConnection,
  trust: TrustSource,
  identity: { region: string; door: string; nkey: string },
): Subscription {
  return nc.subscribe(denyListSubject, {
    callback: (_, msg) => {
      let refusal: string | undefined
      try {
        if (msg.data.length > 0) trust.offerDenyList(msg.string())
      } catch (error) {
        refusal = (error as Error).message
      }
      const held = trust.current().denyList
      msg.respond(JSON.stringify({ ...identity, ...denyListState(held), refusal }))
    },
  })
}
