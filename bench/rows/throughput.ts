// Credentials over NATS with 64 requests in flight: server, function and requestor share the cores.
import { interleave } from '../interleave.ts'
import { makeFolder } from '../place.ts'
import type { Bench, Figure, Row, Target } from '../row.ts'
import { startSide, type Sample } from '../side.ts'
import { median } from '../statistics.ts'
import { variants, type Variant, type VariantName } from '../variant.ts'

export const throughput: Row = {
  name: 'throughput',
  what: 'credentials over NATS: 64 requests in flight, one nats-server with TLS',
  measure,
}

const inFlight = 64
const targets: Partial<Record<VariantName, Target>> = {
  legacy: { atLeast: 6_500 },
  'without-seal': { atLeast: 4_000 },
  whole: { atLeast: 2_500 },
}

async function measure(bench: Bench): Promise<Figure[]> {
  using folder = makeFolder()
  await using stack = new AsyncDisposableStack()
  const load = { inFlight, durationMs: bench.duration(2_000) }
  const takes = {} as Record<VariantName, () => Promise<Sample>>
  for (const variant of variants) {
    const side = stack.use(
      await startSide(variant, { folder: folder.path, profile: bench.profile }),
    )
    takes[variant.name] = () => side.sample(load)
    // Once for the compiler, whose time is not the function's.
    await side.sample(load)
  }
  const samples = await interleave(bench.rounds(7), takes)
  return variants.flatMap((variant) => figuresOf(variant, samples[variant.name]))
}

function figuresOf(variant: Variant, samples: readonly Sample[]): Figure[] {
  const figures = [rate(variant, samples)]
  if (variant.isExchanged) return figures
  return [...figures, latency(variant, samples), ...memory(variant, samples)]
}

function rate({ name, what }: Variant, samples: readonly Sample[]): Figure {
  const target = targets[name]
  return {
    what,
    unit: '/s',
    samples: samples.map(({ perSecond }) => perSecond),
    note: sharesOf(samples),
    ...(target && { target }),
  }
}

function latency({ what }: Variant, samples: readonly Sample[]): Figure {
  return {
    what: `${what}: latency`,
    unit: 'ms',
    samples: samples.flatMap(({ latenciesMs }) => latenciesMs),
  }
}

function memory({ what }: Variant, samples: readonly Sample[]): Figure[] {
  const peaks = samples.flatMap(({ shares }) => shares?.functionPeakMb ?? [])
  if (peaks.length === 0) return []
  return [
    {
      what: `${what}: memory of the function, at its peak`,
      unit: 'MB',
      samples: peaks,
      target: { atMost: 100 },
    },
  ]
}

/** Whoever uses a whole core is the one that the others wait for. */
function sharesOf(samples: readonly Sample[]): string {
  const shares = samples.flatMap((sample) => sample.shares ?? [])
  if (shares.length === 0) return ''
  const [asked, server, requestor] = (['function', 'server', 'requestor'] as const).map((of) =>
    median(shares.map((share) => share[of])).toFixed(2),
  )
  return `cores: function ${asked}, server ${server}, requestor ${requestor}`
}
