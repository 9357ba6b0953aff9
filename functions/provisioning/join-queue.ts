// When a function takes part in the queue of its door: as long as it can answer itself, and not before
// it asked the others for news.
import { selfSubject } from '../../core/network/function-permissions.ts'
import type { NatsConnection } from '../../nats/connect.ts'
import { serveNats, type NatsDoor } from '../triggers/nats.ts'
import { exchangeDenyLists } from './deny-list.ts'
import { keepHealthy, type Health } from './health.ts'
import type { AskSelf } from './self-request.ts'
import type { TrustSource } from './trust-source.ts'
import type { Work } from './work.ts'

export interface Joining {
  readonly trust: TrustSource
  readonly work: Work
  readonly report: (line: string) => void
  readonly askSelf: (ask: AskSelf) => Promise<void>
  /** A request to itself that went over no network: how it came out. */
  readonly tried: Promise<void>
  readonly deadlineMs: number
}

/** Joins by itself, leaves and comes back, until it is disposed. */
export function joinQueue(
  nc: NatsConnection,
  door: NatsDoor,
  { trust, work, report, askSelf, tried, deadlineMs }: Joining,
): Health {
  const joined = new AsyncDisposableStack()
  const news = joined.use(exchangeDenyLists(nc, trust, door))
  const trigger = joined.use(serveNats(nc, door, work))
  const health = joined.use(
    keepHealthy({
      // Keys and trust were tried; it need not wait for the way over NATS, which is tried right after.
      firstCheck: () => tried,
      check: () => askSelf((bytes) => askOverNats(nc, door, { bytes, deadlineMs })),
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
  { nkey }: NatsDoor,
  { bytes, deadlineMs }: { bytes: Uint8Array; deadlineMs: number },
): Promise<Uint8Array> {
  return (await nc.request(selfSubject(nkey), bytes, { timeout: deadlineMs })).data
}
