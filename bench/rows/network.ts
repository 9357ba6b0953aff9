// The same through leafnodes and gateways: nine servers, three leafnode servers and six functions
// share the cores with whoever asks.
import { accessSubject } from '../../core/network/access-subject.ts'
import { connectWithCreds, type NatsConnection } from '../../nats/connect.ts'
import { serversOf, startTestNetwork, type TestNetwork } from '../../tests/test-network.ts'
import { interleave } from '../interleave.ts'
import { runLoad, type LoadResult } from '../load.ts'
import { prepareRequests, requireGranted } from '../prepare.ts'
import type { Bench, Figure, Row } from '../row.ts'

export const network: Row = {
  name: 'network',
  what: 'credentials with proof and seal in the whole network, asked in ams3',
  measure,
}

const [here, there] = ['ams3', 'sfo2'] as const
const requestors = 512

async function measure(bench: Bench): Promise<Figure[]> {
  await using running = await startTestNetwork()
  const lobby = await enterLobby(running)
  const take = (answering: string, inFlight: number) => () =>
    load(running, lobby, { answering, inFlight, durationMs: bench.duration(2_000) })
  const takes = {
    manyHere: take(here, 64),
    manyThere: take(there, 64),
    oneHere: take(here, 1),
    oneThere: take(there, 1),
  }
  await interleave(1, takes)
  const samples = await interleave(bench.rounds(5), takes)
  await lobby.close()
  return [
    rate(`64 in flight, answered in ${here}`, samples.manyHere),
    rate(`64 in flight, answered in ${there}`, samples.manyThere),
    wait(`one in flight, answered in ${here}`, samples.oneHere),
    wait(`one in flight, answered in ${there}`, samples.oneThere),
  ]
}

function enterLobby({ network: { file, lobby } }: TestNetwork): Promise<NatsConnection> {
  const servers = serversOf({ file } as TestNetwork['network'], here)
  return connectWithCreds({ servers, ca: file.ca, name: 'archipelago bench' }, () => lobby)
}

async function load(
  { network: { operator } }: TestNetwork,
  nc: NatsConnection,
  { answering, ...load }: { answering: string; inFlight: number; durationMs: number },
): Promise<LoadResult> {
  // Its own region's function is asked as everybody asks it, the other one by name.
  const subject = accessSubject('lobby', answering === here ? undefined : answering)
  const requests = prepareRequests(operator, requestors)
  const result = await runLoad(nc, { ...load, subject, requests })
  for (const [request, answer] of result.answers) requireGranted(request, answer, answering)
  return result
}

function rate(what: string, samples: readonly LoadResult[]): Figure {
  return { what, unit: '/s', samples: samples.map(({ perSecond }) => perSecond) }
}

function wait(what: string, samples: readonly LoadResult[]): Figure {
  return { what, unit: 'ms', samples: samples.flatMap(({ latenciesMs }) => latenciesMs) }
}
