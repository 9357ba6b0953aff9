// One door of one region: its trust, its connection to the leafnode server, its HTTPS listeners.
import type { FairQueue } from '../../core/access/fair-queue.ts'
import type { FunctionDoor } from '../../core/network/access-subject.ts'
import type { NatsConnection } from '../../nats/connect.ts'
import { holdCertificate } from '../certificates/held.ts'
import { keepAfterFirst } from '../certificates/keep-after-first.ts'
import type { Renewed } from '../certificates/keep-current.ts'
import type { Provisioning } from '../provision-credentials.ts'
import { openAudit } from './audit.ts'
import { openAuditFile } from './audit-file.ts'
import { connector } from './connector.ts'
import type { FunctionEnvironment } from './environment.ts'
import { handlerOf } from './handler.ts'
import type { Health } from './health.ts'
import { joinQueue, type Joining } from './join-queue.ts'
import { openLink, type Link } from './link.ts'
import { openListeners } from './open-listeners.ts'
import { makeSelfRequest } from './self-request.ts'
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
  const { region, door, folders } = environment
  const { report = reportToStderr, queue } = parts
  const { selfIntervalMs = 1_000 } = parts
  await using started = new AsyncDisposableStack()
  const openAuditOf = (path: string) => started.use(openAuditFile(path)).write
  const { auditFile } = environment
  const { writeAudit = auditFile ? openAuditOf(auditFile) : writeToStdout } = parts
  // First of all, for what follows is done while the leafnode server shakes hands.
  const own = holdCertificate(environment.nats.files)
  const { nkey, connect, refused } = connector(environment, own, report)
  const connecting = connect({ waitOnFirstConnect: true })
  started.defer(() => void connecting.then((nc) => nc.close()).catch(() => {}))
  const trust = started.use(openTrustSource(folders, { door, report }))
  const provisioning: Provisioning = {
    region,
    door,
    trust: () => trust.current(),
    nowMs: Date.now,
    // After all that is answered below.
    audit: started.use(openAudit({ region, door }, writeAudit)),
  }
  const handle = parts.handle ?? (await handlerOf(door))
  const { audit, nowMs } = provisioning
  const work = startWork(handle(provisioning), { door, audit, ...(queue && { queue }) })
  const self = { region, door, trust: provisioning.trust, nowMs: provisioning.nowMs, work }
  const askSelf = makeSelfRequest({ ...self, deadlineMs: selfIntervalMs })
  // While the leafnode server shakes hands; what ran once runs faster, too.
  const tried = askSelf((bytes) => askInProcess(work, door, bytes))
  tried.catch(() => {})
  if (door === 'legacy') report('warning: this door makes seeds and sends them over the wire')
  const watch: { link?: Link } = {}
  const problem = (): string | undefined => (watch.link ?? { problem: 'starting' }).problem
  const listeners = started.use(
    await openListeners(environment, own, { door, work, problem, audit, nowMs, report }),
  )
  const joining = { trust, work, audit, report, askSelf, deadlineMs: selfIntervalMs }
  const join = (nc: NatsConnection, first?: Pick<Joining, 'tried'>): Health =>
    joinQueue(nc, { region, door, nkey }, { ...joining, ...first })
  const identity: Renewed = {
    what: 'the link to NATS',
    held: own,
    show: (pems) => {
      listeners.showIdentity(pems)
      return watch.link?.renew()
    },
  }
  const { promise: serves, resolve } = Promise.withResolvers<void>()
  // Whose certificate is refused has to take the next one before it can serve.
  const first = Promise.race([serves, refused])
  const kept = started.use(keepAfterFirst(first, [identity, ...listeners.renewed], report))
  const nc = await connecting
  const link = started.use(openLink({ nc, health: join(nc, { tried }) }, { connect, join }))
  watch.link = link
  void link.ready.then(resolve)
  // What is being taken is taken before the link is left.
  started.use(kept)
  const running = started.move()
  return {
    place: `${door} of ${region}`,
    health: link,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

function writeToStdout(line: string): void {
  process.stdout.write(`${line}\n`)
}

function reportToStderr(line: string): void {
  console.error(`provision-credentials: ${line}`)
}

async function askInProcess(
  work: Work,
  door: FunctionDoor,
  bytes: Uint8Array,
): Promise<Uint8Array> {
  const caller = { trigger: 'self', source: 'self' } as const
  const kind = door === 'identity' ? 'sealed-exchange' : 'access'
  return Buffer.from((await work.answer({ kind, bytes, caller })).body)
}
