// A NATS service as `nats micro` sees it (ADR-32 of nats-architecture-and-design). Written here, since
// @nats-io/services brings a second NATS client with it (docs/adr/0001-nats-packages.md).
import { headers, nuid, type Msg, type MsgHdrs, type NatsConnection } from '@nats-io/nats-core'

export interface ServiceDescription {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly metadata: Readonly<Record<string, string>>
}
export interface ServiceEndpoint {
  readonly name: string
  readonly subject: string
  readonly queue: string
}
interface EndpointStats {
  num_requests: number
  num_errors: number
  last_error: string
  processing_time: number
}
export interface Service extends Disposable {
  readonly id: string
  /** Counts one request of an endpoint; time in nanoseconds. */
  count(endpoint: string, nanoseconds: number, error?: string): void
}

/** Answers PING, INFO and STATS for a service whose endpoints somebody else subscribes. */
export function announceService(
  nc: NatsConnection,
  { name, version, description, metadata }: ServiceDescription,
  endpoints: readonly ServiceEndpoint[],
): Service {
  const id = nuid.next()
  const started = new Date().toISOString()
  const stats = new Map<string, EndpointStats>(endpoints.map((each) => [each.name, emptyStats()]))
  const identity = { name, id, version, metadata }
  const answers = {
    PING: () => ({ type: 'io.nats.micro.v1.ping_response', ...identity }),
    INFO: () => ({
      type: 'io.nats.micro.v1.info_response',
      ...identity,
      description,
      endpoints: endpoints.map((each) => endpointInfo(each)),
    }),
    STATS: () => ({
      type: 'io.nats.micro.v1.stats_response',
      ...identity,
      started,
      endpoints: endpoints.map((each) => endpointStats(each, stats.get(each.name))),
    }),
  }
  const subscriptions = Object.entries(answers).flatMap(([verb, answer]) =>
    [`$SRV.${verb}`, `$SRV.${verb}.${name}`, `$SRV.${verb}.${name}.${id}`].map((subject) =>
      nc.subscribe(subject, {
        callback: (_, msg) => void msg.respond(JSON.stringify(answer())),
      }),
    ),
  )
  return {
    id,
    count(endpoint, nanoseconds, error) {
      const counted = stats.get(endpoint)
      if (counted === undefined) return
      counted.num_requests += 1
      counted.processing_time += nanoseconds
      if (error === undefined) return
      counted.num_errors += 1
      counted.last_error = error
    },
    [Symbol.dispose]: () => subscriptions.forEach((each) => each.unsubscribe()),
  }
}

export interface ServiceError {
  readonly status: number
  readonly code: string
  readonly message: string
}

/** An error answer as services give it: `status` a number like HTTP's, the code in the text. */
export function respondError(msg: Msg, error: ServiceError, body: string): void {
  msg.respond(body, { headers: headersOf(error) })
}

// Whoever floods is refused with one and the same error, again and again.
const known = new WeakMap<ServiceError, MsgHdrs>()

function headersOf(error: ServiceError): MsgHdrs {
  const made = known.get(error)
  if (made !== undefined) return made
  const fields: MsgHdrs = headers()
  fields.set('Nats-Service-Error-Code', String(error.status))
  fields.set('Nats-Service-Error', `${error.code}: ${error.message}`.replaceAll(/[\r\n]+/g, ' '))
  known.set(error, fields)
  return fields
}

function emptyStats(): EndpointStats {
  return { num_requests: 0, num_errors: 0, last_error: '', processing_time: 0 }
}

function endpointInfo({ name, subject, queue }: ServiceEndpoint) {
  return { name, subject, queue_group: queue, metadata: {} }
}

function endpointStats(endpoint: ServiceEndpoint, stats = emptyStats()) {
  const { num_requests: requests, processing_time: time } = stats
  const average = requests === 0 ? 0 : Math.round(time / requests)
  return { ...endpointInfo(endpoint), ...stats, average_processing_time: average }
}
