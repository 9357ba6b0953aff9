// When a function takes part in the queue of its door: as long as it can answer itself, and not before
// it asked the others for news.
import { randomBytes } from 'node:crypto'
import { selfSubject } from '../../core/network/function-permissions.ts'
import type { NatsConnection } from '../../nats/connect.ts'
import { serveNats, type NatsDoor } from '../triggers/nats.ts'
import type { Audit } from './audit.ts'
import { exchangeDenyLists } from './deny-list.ts'
import { keepHealthy, type Health } from './health.ts'
import type { AskSelf } from './self-request.ts'
import type { TrustSource } from './trust-source.ts'
import type { Work } from './work.ts'

export interface Joining {
  readonly trust: TrustSource
  readonly work: Work
  readonly audit: Audit
  readonly report: (line: string) => void
  readonly askSelf: (ask: AskSelf) => Promise<void>
  /** A request to itself that went over no network: how it came out. Without it the first goes over NATS. */
  readonly tried?: Promise<void>
  readonly deadlineMs: number
}

/** Joins by itself, leaves and comes back, until it is disposed. */
export function joinQueue(
  nc: NatsConnection,
  door: NatsDoor,
  { trust, work, audit, report, askSelf, tried, deadlineMs }: Joining,
): Health {
  const joined = new AsyncDisposableStack()
  const news = joined.use(exchangeDenyLists(nc, trust, door))
  const self = selfSubject(door.nkey, randomBytes(6).toString('hex'))
  const trigger = joined.use(serveNats(nc, door, { work, audit, self }))
  const health = joined.use(
    keepHealthy({
      // Keys and trust were tried; it need not wait for the way over NATS, which is tried right after.
      ...(tried && { firstCheck: () => tried }),
      check: () => askSelf((bytes) => askOverNats(nc, self, { bytes, deadlineMs })),
      join: async () => {
        await news.heard()
        trigger.setServing(true)
      },
      leave: () => trigger.setServing(false),
      report,
      intervalMs: deadlineMs,
    }),
  )
  return {
    ready: health.ready,
    get problem() {
      return health.problem
    },
    [Symbol.asyncDispose]: () => joined.disposeAsync(),
  }
}

async function askOverNats(
  nc: NatsConnection,
  subject: string,
  { bytes, deadlineMs }: { bytes: Uint8Array; deadlineMs: number },
): Promise<Uint8Array> {
  return (await nc.request(subject, bytes, { timeout: deadlineMs })).data
}
