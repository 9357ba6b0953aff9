// The whole supercluster, until every server reports its mesh and every function answers, beside nine
// bare servers that only have to find each other.
import { join } from 'node:path'
import { startNetwork } from '../../laptop/network.ts'
import { timeBareSupercluster } from '../bare-supercluster.ts'
import { interleave } from '../interleave.ts'
import { claimPlace, makeFolder, type Place } from '../place.ts'
import type { Bench, Figure, Row } from '../row.ts'
import { ratios } from '../statistics.ts'

export const start: Row = {
  name: 'start',
  what: 'the whole network: nine servers, three leafnode servers, the functions',
  measure,
}

interface Start {
  readonly spawnedMs: number
  readonly meshedMs: number
  readonly readyMs: number
}

async function measure(bench: Bench): Promise<Figure[]> {
  const { natsServer } = bench
  using folder = makeFolder()
  const place = await claimPlace(folder.path)
  let turn = 0
  const fresh = (): string => join(folder.path, String(turn++))
  let data = fresh()
  const samples = await interleave(bench.rounds(5), {
    bare: () =>
      timeBareSupercluster(natsServer, {
        archipelago: place.archipelago,
        folder: folder.path,
      }),
    first: () => timeStart(place, (data = fresh()), bench),
    again: () => timeStart(place, data, bench),
  })
  const of = (starts: readonly Start[], what: keyof Start) => starts.map((each) => each[what])
  const [first, again] = [of(samples.first, 'readyMs'), of(samples.again, 'readyMs')]
  return [
    {
      what: 'nine bare servers, until meshed, in the same rounds',
      unit: 'ms',
      samples: samples.bare,
    },
    {
      what: 'first start, until all functions answer',
      unit: 'ms',
      samples: first,
      target: { atMost: 4_000 },
    },
    {
      what: 'trust and certificates made, servers spawned',
      unit: 'ms',
      samples: of(samples.first, 'spawnedMs'),
    },
    { what: 'until meshed', unit: 'ms', samples: of(samples.first, 'meshedMs') },
    { what: 'start with the trust of before', unit: 'ms', samples: again },
    {
      what: 'start with the trust of before: times nine bare servers',
      unit: '×',
      samples: ratios(again, samples.bare),
    },
  ]
}

async function timeStart(place: Place, data: string, { natsServer }: Bench): Promise<Start> {
  const started = performance.now()
  await using network = await startNetwork({ ...place, data, natsServer })
  const readyMs = performance.now() - started
  const { timings } = network.supercluster
  // The supercluster's clock starts when the trust is there.
  return { spawnedMs: timings.spawnedMs, meshedMs: timings.readyMs, readyMs }
}
