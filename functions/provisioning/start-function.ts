// One door of one region: its trust, its connection to the leafnode server, its HTTPS listener.
import { connectWithNkey, type NatsConnection } from '../../nats/connect.ts'
import type { NkeyPair } from '../../core/trust/nkey.ts'
import type { FairQueue } from '../../core/access/fair-queue.ts'
import { openFiles } from '../../store/files.ts'
import { requireKey } from '../../store/key-file.ts'
import { functionKeyFile } from '../../store/key-paths.ts'
import { openAudit } from './audit.ts'
import { exchangeDenyLists } from './deny-list.ts'
import type { FunctionEnvironment } from './environment.ts'
import { keepHealthy, type Health } from './health.ts'
import { provisionCredential, type Provisioning } from '../provision-credentials.ts'
import { makeSelfRequest } from './self-request.ts'
import { serveHttps } from '../triggers/https.ts'
import { serveNats } from '../triggers/nats.ts'
import { openTrustSource, type TrustSource } from './trust-source.ts'
import { startWork, type Handle, type Job, type Work } from './work.ts'

export interface FunctionParts {
  /** For a test: a handler that hangs, a queue that is not fair. */
  readonly handle?: (provisioning: Provisioning) => Handle
  readonly queue?: FairQueue<Job>
  readonly report?: (line: string) => void
  readonly writeAudit?: (line: string) => void
  /** Between two requests to itself, and how long it waits for an answer. */
  readonly selfIntervalMs?: number
}
export interface RunningFunction extends AsyncDisposable {
  readonly place: string
  readonly health: Health
}

/** Serves as soon as `health.ready` says so; what was asked before it is disposed is still answered. */
export async function startFunction(
  environment: FunctionEnvironment,
  parts: FunctionParts = {},
): Promise<RunningFunction> {
  const { region, door, folders, https } = environment
  const { report = reportToStderr, handle = provisionWith, queue } = parts
  const { writeAudit = writeToStdout, selfIntervalMs = 1_000 } = parts
  await using started = new AsyncDisposableStack()
  const trust = started.use(openTrustSource(folders, { door, report }))
  const provisioning: Provisioning = {
    region,
    door,
    trust: () => trust.current(),
    nowMs: Date.now,
    audit: openAudit({ region, door }, writeAudit),
  }
  const work = startWork(handle(provisioning), { door, ...(queue && { queue }) })
  if (door === 'legacy') report('warning: this door makes seeds and sends them over the wire')
  const watch: { health?: Health } = {}
  const problem = (): string | undefined => (watch.health ?? { problem: 'starting' }).problem
  // No seed over HTTP: the old clients do not ask there.
  if (https !== undefined && door !== 'legacy')
    started.use(await serveHttps(https, { door, work, problem }))
  const health = started.use(
    await joinNats(environment, { provisioning, trust, work, report, selfIntervalMs }),
  )
  watch.health = health
  const running = started.move()
  return {
    place: `${door} of ${region}`,
    health,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

function provisionWith(provisioning: Provisioning): Handle {
  return (request) => provisionCredential(request, provisioning)
}

function writeToStdout(line: string): void {
  process.stdout.write(`${line}\n`)
}

function reportToStderr(line: string): void {
  console.error(`provision-credentials: ${line}`)
}

interface Joined {
  readonly provisioning: Provisioning
  readonly trust: TrustSource
  readonly work: Work
  readonly report: (line: string) => void
  readonly selfIntervalMs: number
}

/** Serves the queue as long as it can answer itself, and not before it asked the others for news. */
async function joinNats(environment: FunctionEnvironment, joined: Joined): Promise<Health> {
  const { region, door, folders } = environment
  const { provisioning, trust, work, report, selfIntervalMs } = joined
  await using started = new AsyncDisposableStack()
  const pair = requireKey(openFiles(), 'user', functionKeyFile(folders.keysFolder))
  const nc = started.adopt(await connectToLeafnode(environment, pair), (nc) => nc.drain())
  const identity = { region, door, nkey: pair.publicKey }
  const news = started.use(exchangeDenyLists(nc, trust, identity))
  const trigger = started.use(serveNats(nc, identity, work))
  const { trust: current, nowMs } = provisioning
  const health = started.use(
    keepHealthy({
      check: makeSelfRequest(nc, {
        ...identity,
        trust: current,
        nowMs,
        work,
        deadlineMs: selfIntervalMs,
      }),
      join: async () => {
        await news.heard()
        trigger.setServing(true)
      },
      leave: () => trigger.setServing(false),
      report,
      intervalMs: selfIntervalMs,
    }),
  )
  const running = started.move()
  return {
    ready: health.ready,
    get problem() {
      return health.problem
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

function connectToLeafnode(
  { region, door, nats }: FunctionEnvironment,
  pair: NkeyPair<'user'>,
): Promise<NatsConnection> {
  const name = `provision-credentials ${door} ${region}`
  const options = { waitOnFirstConnect: true, reconnectTimeWait: 100 }
  return connectWithNkey({ ...nats, name, options }, pair)
}
