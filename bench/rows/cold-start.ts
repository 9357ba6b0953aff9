// From the spawn of the bundled function to its first answer over NATS: process, modules, trust read
// and checked, connection with TLS, a request to itself, the deny list of its peers, and the answer.
import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { accessSubject } from '../../core/network/access-subject.ts'
import { Refusal } from '../../core/errors.ts'
import { bundleFunction } from '../../laptop/bundle.ts'
import type { ProcessSpec } from '../../laptop/process.ts'
import { startChild } from '../child.ts'
import { startFunctionProcess } from '../function-process.ts'
import { interleave } from '../interleave.ts'
import { makeFolder } from '../place.ts'
import { makePlainTrust, startPlainNetwork } from '../plain-network.ts'
import { prepareRequest, requireGranted } from '../prepare.ts'
import type { Bench, Figure, Row } from '../row.ts'
import { timeProcess } from '../run-process.ts'

export const coldStart: Row = {
  name: 'cold-start',
  what: 'the bundled function, from its spawn to its first answer over NATS',
  measure,
}

const door = 'lobby'

async function measure(bench: Bench): Promise<Figure[]> {
  using folder = makeFolder()
  const bundle = join(folder.path, 'function', 'provision-credentials.cjs')
  await bundleFunction(bundle)
  const trust = await makePlainTrust(folder.path, door)
  await using network = await startPlainNetwork(trust)
  const nc = await network.connect()
  const spec = network.planFunction(bundle)
  const start = async (): Promise<number> => {
    const request = prepareRequest(network.operator)
    const first = { subject: accessSubject(door), bytes: request.bytes }
    await using started = await startFunctionProcess(spec, nc, first)
    requireGranted(request, started.firstAnswer)
    return started.tookMs
  }
  const takes = {
    node: () => timeProcess(process.execPath, ['-e', '0']),
    loaded: () => timeRefusal(spec),
    uncompiled: () => {
      rmSync(join(dirname(bundle), 'compiled'), { recursive: true, force: true })
      return start()
    },
    first: start,
  }
  await interleave(1, takes)
  const samples = await interleave(bench.rounds(15), takes)
  await nc.close()
  return [
    { what: 'node -e 0, from spawn to end', unit: 'ms', samples: samples.node },
    { what: 'function that is told nothing, to its refusal', unit: 'ms', samples: samples.loaded },
    { what: 'first answer', unit: 'ms', samples: samples.first, target: { atMost: 60 } },
    { what: 'first answer, nothing compiled yet', unit: 'ms', samples: samples.uncompiled },
  ]
}

/** All modules are loaded before it sees that its environment is empty. */
async function timeRefusal(spec: ProcessSpec): Promise<number> {
  const { PATH, NODE_COMPILE_CACHE } = spec.env ?? {}
  const started = performance.now()
  const { exited } = startChild({ ...spec, env: { PATH, NODE_COMPILE_CACHE } })
  const { code, lastLine } = await exited
  const tookMs = performance.now() - started
  if (code === 1 && lastLine.includes('ARCHIPELAGO_REGION')) return tookMs
  throw new Refusal('ERR_SERVER_FAILED', `function ended with ${code}: ${lastLine}`)
}
