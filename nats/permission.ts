// What a credential may do is found out by trying it against its server.
import { PermissionViolationError, type NatsConnection } from '@nats-io/nats-core'

const patienceMs = 2_000

/** Whether the server lets this connection subscribe to the subject. */
export async function maySubscribe(nc: NatsConnection, subject: string): Promise<boolean> {
  const refused = Promise.withResolvers<true>()
  const subscription = nc.subscribe(subject, {
    callback: (error) => {
      if (error instanceof PermissionViolationError) refused.resolve(true)
    },
  })
  const isRefused = await orAnswered(nc, refused.promise)
  subscription.unsubscribe()
  return !isRefused
}

/** Whether the server takes a message of this connection on the subject. */
export async function mayPublish(nc: NatsConnection, subject: string): Promise<boolean> {
  const refused = Promise.withResolvers<true>()
  const statuses = nc.status()
  void (async () => {
    for await (const status of statuses)
      if (status.type === 'error' && status.error instanceof PermissionViolationError)
        if (status.error.subject === subject) refused.resolve(true)
  })()
  nc.publish(subject)
  return !(await orAnswered(nc, refused.promise))
}

/** A server answers in order: once it has answered a ping, it would have refused what came before. */
async function orAnswered(nc: NatsConnection, refused: Promise<true>): Promise<boolean> {
  const answered = nc.flush().then(
    // The refusal is handed on in a later turn than the pong.
    () => new Promise<false>((resolve) => setTimeout(() => resolve(false), 20)),
  )
  const tooLate = AbortSignal.timeout(patienceMs)
  const failed = new Promise<never>((_, reject) => {
    tooLate.addEventListener('abort', () => reject(new Error('no answer to a ping')))
  })
  return Promise.race([refused, answered, failed])
}
