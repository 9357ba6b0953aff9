// Keeps a program connected for longer than any of its credentials lives. At half of a credential's
// life the next one is asked for over the connection itself; a second connection is dialled with it,
// hears what the first one hears until the network knows of it, and takes over; then the first is
// closed. What a program may rely on while a connection follows the other:
//
// Order. Plain subscriptions hand on the messages of one publisher in the order in which they were
// published, across all of them, as one connection would. What is sent keeps its order. A queue
// subscription is two members of its group during the overlap; between members there is no order.
// Duplicates: none. Plain subscriptions hear each message on both connections, and hand it on once;
// a queue group hears it once. Two messages that are the same to the last byte are two: receipts on
// both connections are counted, and matched by their times. Only where the same message is repeated
// without a pause, faster than the two connections differ in delay, the count can be wrong by that
// difference.
// Loss: none, if the network learns of the new connection within `overlapMs`, and neither connection
// is behind the other by more than a quarter of it. (No server says when the network knows. The server
// of before knows at once; dialNear goes there.) Requests in flight are answered before the old
// connection is closed. Only a queue subscription that moves to another region can lose what was on
// its way to the old one.
//
// Where a connection breaks, or a credential ends before there is another, all this is as NATS is
// without it: what is published meanwhile is lost. During the overlap a program counts twice among its
// account's connections; limits of subscriptions are per connection, and do not change.
import type { Msg, NatsConnection, Payload, RequestOptions } from '@nats-io/nats-core'
import type { HearingOptions } from './renew/hearings.ts'
import { endKeeping, renewNow, startKeeping } from './renew/keep.ts'
import type { Line } from './renew/line.ts'
import type { Publish } from './renew/outbox.ts'
import type { HeldCredential, Renewing } from './renew/renewing.ts'

export interface RenewedConnection<C extends HeldCredential> extends AsyncDisposable {
  /** The newest. */
  readonly credential: C
  /** The one over which is sent now; what is subscribed on it directly ends with it. */
  readonly connection: NatsConnection
  /** Aborted with the reason when it is closed, or nothing keeps it alive any longer. */
  readonly ended: AbortSignal
  /** Heard until `unsubscribe`, on whatever connection. */
  subscribe(subject: string, options: HearingOptions): { unsubscribe(): void }
  readonly publish: Publish
  request(subject: string, payload?: Payload, options?: RequestOptions): Promise<Msg>
  /** Resolves when everything that was published is with a server. */
  flush(): Promise<void>
  /** Renews before its time and moves; refuses when that did not succeed, and goes on trying. */
  renewNow(): Promise<void>
  close(): Promise<void>
}

/** Connects, and stays connected. Refuses a credential that is over already. */
export async function startRenewing<C extends HeldCredential>(
  renewing: Renewing<C>,
): Promise<RenewedConnection<C>> {
  const keeper = await startKeeping(renewing)
  const { hearings, outbox } = keeper
  const close = (): Promise<void> => endKeeping(keeper)
  return {
    get credential() {
      return keeper.held.credential
    },
    get connection() {
      return (outbox.line as Line).nc
    },
    ended: keeper.end.signal,
    subscribe(subject, options) {
      const hearing = hearings.add(subject, options)
      return { unsubscribe: () => hearings.remove(hearing) }
    },
    publish: outbox.publish,
    request: (subject, payload, options) =>
      outbox.ask(({ nc, requests }) => {
        const answer = nc.request(subject, payload, options)
        requests.add(answer)
        const forget = (): void => void requests.delete(answer)
        answer.then(forget, forget)
        return answer
      }),
    flush: () => outbox.ask(({ nc }) => nc.flush()),
    renewNow: () => renewNow(keeper),
    close,
    [Symbol.asyncDispose]: close,
  }
}
