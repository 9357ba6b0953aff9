// One door of one region: its trust, its connection to the leafnode server, its HTTPS listener.
import { connectWithNkey, type NatsConnection } from '../../nats/connect.ts'
import type { FairQueue } from '../../core/access/fair-queue.ts'
import type { Nkey } from '../../core/trust/nkey.ts'
import { openFiles } from '../../store/files.ts'
import { requireKey } from '../../store/key-file.ts'
import { functionKeyFile } from '../../store/key-paths.ts'
import { openAudit } from './audit.ts'
import type { FunctionEnvironment } from './environment.ts'
import type { Health } from './health.ts'
import { joinQueue } from './join-queue.ts'
import { provisionCredential, type Provisioning } from '../provision-credentials.ts'
import { makeSelfRequest } from './self-request.ts'
import { serveHttps } from '../triggers/https.ts'
import { openTrustSource } from './trust-source.ts'
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
  // First of all, for what follows is done while the leafnode server shakes hands.
  const { nkey, connecting } = startConnecting(environment)
  started.defer(() => void connecting.then((nc) => nc.close()).catch(() => {}))
  const trust = started.use(openTrustSource(folders, { door, report }))
  const provisioning: Provisioning = {
    region,
    door,
    trust: () => trust.current(),
    nowMs: Date.now,
    audit: openAudit({ region, door }, writeAudit),
  }
  const work = startWork(handle(provisioning), { door, ...(queue && { queue }) })
  const self = { door, trust: provisioning.trust, nowMs: provisioning.nowMs, work }
  const askSelf = makeSelfRequest({ ...self, deadlineMs: selfIntervalMs })
  // While the leafnode server shakes hands; what ran once runs faster, too.
  const tried = askSelf((bytes) => askInProcess(work, bytes))
  tried.catch(() => {})
  if (door === 'legacy') report('warning: this door makes seeds and sends them over the wire')
  const watch: { health?: Health } = {}
  const problem = (): string | undefined => (watch.health ?? { problem: 'starting' }).problem
  // No seed over HTTP: the old clients do not ask there.
  if (https !== undefined && door !== 'legacy')
    started.use(await serveHttps(https, { door, work, problem }))
  const nc = started.adopt(await connecting, (nc) => nc.drain())
  const identity = { region, door, nkey }
  const joined = { trust, work, report, askSelf, tried, deadlineMs: selfIntervalMs }
  watch.health = started.use(joinQueue(nc, identity, joined))
  const health = watch.health
  const running = started.move()
  return {
    place: `${door} of ${region}`,
    health,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

function startConnecting({ region, door, folders, nats }: FunctionEnvironment): {
  nkey: Nkey<'user'>
  connecting: Promise<NatsConnection>
} {
  const pair = requireKey(openFiles(), 'user', functionKeyFile(folders.keysFolder))
  const name = `provision-credentials ${door} ${region}`
  const options = { waitOnFirstConnect: true, reconnectTimeWait: 100 }
  return {
    nkey: pair.publicKey,
    connecting: connectWithNkey({ ...nats, name, options }, pair),
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

async function askInProcess(work: Work, bytes: Uint8Array): Promise<Uint8Array> {
  const caller = { trigger: 'self', source: 'self' } as const
  return Buffer.from((await work.answer({ kind: 'access', bytes, caller })).body)
}
