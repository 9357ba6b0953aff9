// Keeps so many requests in flight for a while. The requests were prepared before, so that the one who
// asks spends as little as can be.
import { createInbox } from '@nats-io/nats-core'
import { Refusal } from '../core/errors.ts'
import type { Msg, NatsConnection } from '../nats/connect.ts'
import type { Prepared } from './prepare.ts'

export interface Load {
  readonly subject: string
  readonly requests: readonly Prepared[]
  readonly inFlight: number
  readonly durationMs: number
}
export interface LoadResult {
  readonly perSecond: number
  readonly latenciesMs: readonly number[]
  /** The last answer to each of the requests. */
  readonly answers: ReadonlyMap<Prepared, Uint8Array>
}

const silenceMsMax = 5_000

/** Refuses as soon as one request is refused, and when nothing is answered any more. */
export async function runLoad(nc: NatsConnection, load: Load): Promise<LoadResult> {
  const { subject, requests, inFlight, durationMs } = load
  const inbox = createInbox()
  const slots: { sentMs: number; request: Prepared }[] = []
  const latenciesMs: number[] = []
  const answers = new Map<Prepared, Uint8Array>()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const started = performance.now()
  let sent = 0
  let waiting = inFlight
  const send = (slot: number): void => {
    const request = requests[sent++ % requests.length] as Prepared
    slots[slot] = { sentMs: performance.now(), request }
    nc.publish(subject, request.bytes, { reply: `${inbox}.${slot}` })
  }
  const hear = (msg: Msg): void => {
    const slot = Number(msg.subject.slice(inbox.length + 1))
    const { sentMs, request } = slots[slot] as (typeof slots)[number]
    const now = performance.now()
    if (msg.headers !== undefined) return reject(refused(msg))
    latenciesMs.push(now - sentMs)
    answers.set(request, msg.data)
    if (now - started < durationMs) send(slot)
    else if (--waiting === 0) resolve()
  }
  const subscription = nc.subscribe(`${inbox}.*`, {
    callback: (error, msg) => (error === null ? hear(msg) : reject(error)),
  })
  const watch = setInterval(() => {
    const last = Math.max(...slots.map(({ sentMs }) => sentMs))
    if (performance.now() - last > silenceMsMax)
      reject(new Refusal('ERR_NO_ANSWER', `no answer for ${silenceMsMax} ms on ${subject}`))
  }, 500)
  for (let slot = 0; slot < inFlight; slot++) send(slot)
  try {
    await promise
  } finally {
    clearInterval(watch)
    subscription.unsubscribe()
  }
  const seconds = (performance.now() - started) / 1000
  return { perSecond: latenciesMs.length / seconds, latenciesMs, answers }
}

/** Headers come with refusals only, and from the server when nobody is there. */
function refused({ headers, subject }: Msg): Refusal {
  const text = headers?.get('Nats-Service-Error') || `${headers?.code ?? ''}`
  return new Refusal('ERR_NO_ANSWER', `refused under load (${subject}): ${text}`)
}
