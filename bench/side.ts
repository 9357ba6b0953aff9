// One variant of the function on a server of its own, ready to be put under load.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { accessSubject } from '../core/network/access-subject.ts'
import { isSignedBy, parseSeed, type Nkey } from '../core/trust/nkey.ts'
import { Refusal } from '../core/errors.ts'
import type { OperatorJwt } from '../core/trust/operator.ts'
import { parseUser } from '../core/trust/user.ts'
import type { ProcessSpec } from '../laptop/process.ts'
import type { NatsConnection } from '../nats/connect.ts'
import { startFunctionProcess } from './function-process.ts'
import { runLoad, type LoadResult } from './load.ts'
import { makePlainTrust, startPlainNetwork } from './plain-network.ts'
import { prepareRequest, prepareRequests, requireGranted, type Prepared } from './prepare.ts'
import { measureUsage, type Shares } from './usage.ts'
import { bundleVariant, type Variant, type VariantName } from './variant.ts'

export interface Sample extends LoadResult {
  /** What each process used meanwhile; unknown outside of Linux. */
  readonly shares?: Shares
}
export interface Side extends AsyncDisposable {
  readonly operator: OperatorJwt
  readonly connection: NatsConnection
  readonly subject: string
  /** Refuses unless every answer was a good one. */
  sample(load: { inFlight: number; durationMs: number }): Promise<Sample>
}

// Each signs a request once in a sample, and repeats it: the function, which keeps no state, cannot
// tell, and the signatures stay out of the measurement.
const requestors = 512

export async function startSide(
  variant: Variant,
  { folder, profile }: { folder: string; profile: string | undefined },
): Promise<Side> {
  await using stack = new AsyncDisposableStack()
  const place = join(folder, variant.name)
  mkdirSync(place)
  const trust = await makePlainTrust(place, variant.door)
  const { operator } = trust
  const network = stack.use(await startPlainNetwork(trust))
  const nc = await network.connect()
  stack.defer(() => nc.close())
  const bundle = join(place, 'function', 'provision-credentials.cjs')
  await bundleVariant(variant, bundle)
  const { bytes } = asAsked(variant, prepareRequest(operator))
  const subject = accessSubject(variant.door)
  const spec = profiled(network.planFunction(bundle), profile)
  const running = stack.use(await startFunctionProcess(spec, nc, { subject, bytes }))
  const pids = { function: running.pid, server: network.serverPid, requestor: process.pid }
  const started = stack.move()
  return {
    operator,
    connection: nc,
    subject,
    async sample(load) {
      const requests = prepareRequests(operator, requestors).map((each) => asAsked(variant, each))
      const measured = await measureUsage(pids, () => runLoad(nc, { ...load, subject, requests }))
      for (const [request, answer] of measured.result.answers)
        requireGood[variant.name](request, answer)
      return { ...measured.result, ...(measured.shares && { shares: measured.shares }) }
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  }
}

/** Writes where its time went into the folder, when it ends. */
function profiled(spec: ProcessSpec, folder: string | undefined): ProcessSpec {
  if (folder === undefined) return spec
  return { ...spec, env: { ...spec.env, NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${folder}` } }
}

/** The tutorial's requestor sends its name, and nothing else. */
function asAsked(variant: Variant, request: Prepared): Prepared {
  return variant.door === 'legacy'
    ? { ...request, bytes: Buffer.from(request.asking.name) }
    : request
}

const requireGood: Record<VariantName, (request: Prepared, answer: Uint8Array) => void> = {
  'without-decision': () => {},
  legacy: (_, answer) => requireLegacyCreds(textOf(answer)),
  'without-seal': (_, answer) =>
    void parseUser((JSON.parse(textOf(answer)) as { jwt: string }).jwt),
  whole: (request, answer) => requireGranted(request, answer),
}

/** In the old form: the signature is over the claims' segment, and the seed is in the answer. */
function requireLegacyCreds(creds: string): void {
  const [, segment = '', signature = ''] = /^\w+\.([\w-]+)\.([\w-]+)$/m.exec(creds) ?? []
  const { iss, sub } = JSON.parse(Buffer.from(segment, 'base64url').toString()) as Claims
  const { publicKey } = parseSeed('user', /^SU\w+$/m.exec(creds)?.[0] ?? '')
  const isGood = isSignedBy(iss, Buffer.from(segment), Buffer.from(signature, 'base64url'))
  if (!isGood || publicKey !== sub)
    throw new Refusal('ERR_ANSWER_ILLEGAL', `legacy creds of ${sub} are not good`)
}

interface Claims {
  readonly iss: Nkey
  readonly sub: string
}

function textOf(answer: Uint8Array): string {
  return Buffer.from(answer).toString()
}
