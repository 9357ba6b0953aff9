// How long one requestor waits that asks when nobody else does.
import { randomBytes } from 'node:crypto'
import { makeAsk, readAnswer } from '../../core/access/ask.ts'
import { Refusal } from '../../core/errors.ts'
import { askAccess } from '../../nats/ask-access.ts'
import { interleave } from '../interleave.ts'
import { makeFolder } from '../place.ts'
import { startAsking } from '../prepare.ts'
import type { Bench, Figure, Row } from '../row.ts'
import { startSide, type Side } from '../side.ts'
import { variants, type VariantName } from '../variant.ts'

export const latency: Row = {
  name: 'latency',
  what: 'one request in flight, one nats-server with TLS',
  measure,
}

const load = { inFlight: 1 }

async function measure(bench: Bench): Promise<Figure[]> {
  using folder = makeFolder()
  await using stack = new AsyncDisposableStack()
  const sides = {} as Record<VariantName, Side>
  for (const variant of variants)
    sides[variant.name] = stack.use(
      await startSide(variant, { folder: folder.path, profile: bench.profile }),
    )
  const durationMs = bench.duration(500)
  const onTheWire = (name: VariantName) => async () =>
    (await sides[name].sample({ ...load, durationMs })).latenciesMs
  const takes = {
    loop: onTheWire('without-decision'),
    legacy: onTheWire('legacy'),
    whole: onTheWire('whole'),
    asked: () => askFor(sides.whole, durationMs),
  }
  await interleave(1, takes)
  const { loop, legacy, whole, asked } = await interleave(bench.rounds(9), takes)
  return [
    { what: 'service loop alone', unit: 'ms', samples: loop.flat() },
    { what: 'no proof, no seal (door legacy)', unit: 'ms', samples: legacy.flat() },
    {
      what: 'with proof and seal, until the answer is there',
      unit: 'ms',
      samples: whole.flat(),
      target: { atMost: 1 },
    },
    {
      what: 'with proof and seal, signed, asked, opened and checked to the operator',
      unit: 'ms',
      samples: asked.flat(),
    },
  ]
}

/** As the requestor's library asks, one after the other; only its keys were made before. */
async function askFor({ operator, connection, subject }: Side, durationMs: number) {
  const keys = startAsking(operator)
  const latenciesMs: number[] = []
  const end = performance.now() + durationMs
  while (performance.now() < end) {
    const started = performance.now()
    const nonce = randomBytes(18).toString('base64url')
    const asking = { ...keys, nonce, nowMs: Date.now() }
    const ask = makeAsk(asking)
    await askAccess(connection, {
      subjects: [subject],
      bytes: ask.bytes,
      inboxPrefix: '_INBOX',
      deadlineMs: 5_000,
      read: (bytes) => {
        const read = readAnswer(bytes, ask, asking)
        if (read.kind === 'granted') return { verdict: 'done', answer: read.jwt }
        if (read.kind === 'refused') throw read.refusal
        throw new Refusal('ERR_ANSWER_ILLEGAL', read.reason)
      },
    })
    latenciesMs.push(performance.now() - started)
  }
  return latenciesMs
}
