// From taking a credential back until its holder is cut, in every region: by the command, which has to
// start and to connect first, and by a push over connections that are open.
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Refusal } from '../../core/errors.ts'
import type { Nkey } from '../../core/trust/nkey.ts'
import { connectWithCreds, type NatsConnection } from '../../nats/connect.ts'
import { enforceRevocation, type Enforcers } from '../../nats/enforce-revocation.ts'
import type { Credential } from '../../requestor/request-credential.ts'
import { openDeclaredState } from '../../store/declared-state.ts'
import { openFiles } from '../../store/files.ts'
import { serversOf, startTestNetwork, type TestNetwork } from '../../tests/test-network.ts'
import { interleave } from '../interleave.ts'
import type { Bench, Figure, Row } from '../row.ts'
import { timeProcess } from '../run-process.ts'

export const revocation: Row = {
  name: 'revocation',
  what: 'a credential taken back in the whole network, its holder connected in every region',
  measure,
}

const script = fileURLToPath(new URL('../../scripts/revoke-credentials.ts', import.meta.url))
const deadlineMs = 10_000

interface Cut {
  /** By region, from the beginning. */
  readonly cutMs: ReadonlyMap<string, number>
  /** Until every server and function had said that it follows. */
  readonly doneMs: number
}
type Revoke = (nkey: Nkey<'user'>) => Promise<unknown>

async function measure(bench: Bench): Promise<Figure[]> {
  await using network = await startTestNetwork()
  const [pusher, access] = await Promise.all([
    network.connectAs('pusher'),
    network.connectAs('access-operator'),
  ])
  const takes = {
    push: () => cutOne(network, (nkey) => push(network, { pusher, access }, nkey)),
    command: () => cutOne(network, (nkey) => runScript(network, nkey)),
  }
  await interleave(1, takes)
  const samples = await interleave(bench.rounds(9), takes)
  await Promise.all([pusher.close(), access.close()])
  return [...figures('push', samples.push), ...figures('command', samples.command)]
}

function figures(by: string, cuts: readonly Cut[]): Figure[] {
  const regions = [...(cuts[0]?.cutMs.keys() ?? [])].toSorted()
  return [
    ...regions.map((region) => ({
      what: `${by}: until cut in ${region}`,
      unit: 'ms' as const,
      samples: cuts.map(({ cutMs }) => cutMs.get(region) ?? Number.NaN),
    })),
    {
      what: `${by}: until every server and function follows`,
      unit: 'ms',
      samples: cuts.map(({ doneMs }) => doneMs),
    },
  ]
}

async function cutOne(network: TestNetwork, revoke: Revoke): Promise<Cut> {
  const credential = await network.request()
  const regions = network.archipelago.regions.map(({ name }) => name)
  const lives = await Promise.all(regions.map((region) => connectIn(network, credential, region)))
  const cutMs = new Map<string, number>()
  const started = performance.now()
  const cuts = lives.map(async (live, at) => {
    await live.closed()
    cutMs.set(regions[at] as string, performance.now() - started)
  })
  await revoke(credential.creds.pair.publicKey)
  const doneMs = performance.now() - started
  // That all are cut may be known before they have seen it themselves.
  await Promise.race([Promise.all(cuts), tooLate()])
  return { cutMs, doneMs }
}

/** To one server, and never again: its end is the cut. */
function connectIn(
  { network }: TestNetwork,
  { creds }: Credential,
  region: string,
): Promise<NatsConnection> {
  const servers = serversOf(network, region)
  const options = { reconnect: false }
  const target = { servers, ca: network.file.ca, name: 'archipelago bench', options }
  return connectWithCreds(target, () => creds)
}

async function push(
  { homes, archipelago }: TestNetwork,
  enforcers: Enforcers,
  nkey: Nkey<'user'>,
): Promise<void> {
  const nowSeconds = () => Math.floor(Date.now() / 1_000)
  const state = openDeclaredState({ files: openFiles(), homes, archipelago }, nowSeconds)
  const target = { nkeys: [nkey], names: [], tickets: [], accounts: ['KUBECON'] }
  state.revoke(target)
  const { isDone } = await enforceRevocation(enforcers, target, { archipelago, state })
  if (!isDone) throw new Refusal('ERR_SERVER_REFUSED', 'the revocation is not everywhere')
}

async function runScript({ archipelagoFile, folder }: TestNetwork, nkey: string): Promise<void> {
  const where = ['--archipelago', archipelagoFile, '--data-dir', join(folder, 'data')]
  await timeProcess(process.execPath, [script, ...where, '--nkey', nkey])
}

async function tooLate(): Promise<never> {
  await delay(deadlineMs, undefined, { ref: false })
  throw new Refusal('ERR_DEADLINE', `a revoked connection lives on after ${deadlineMs} ms`)
}
