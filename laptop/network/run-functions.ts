// The function processes of a running network: started together, replaced region by region.
import type { Archipelago } from '../../core/archipelago.ts'
import { awaitFunctions } from '../await-functions.ts'
import { prepareFunction } from '../functions.ts'
import type { ProcessSpec } from '../process.ts'
import { compareFunctions } from './function-changes.ts'
import { clientUrls } from './network-file.ts'
import type { NetworkRuntime } from './runtime.ts'

type FunctionsRuntime = Pick<NetworkRuntime, 'functions' | 'supercluster' | 'connectTo' | 'specs'>

const deadlineMs = 10_000

/** Returns when each of them answers through its leafnode. */
export async function startFunctions(
  runtime: FunctionsRuntime,
  specs: readonly ProcessSpec[],
  signal?: AbortSignal,
): Promise<void> {
  for (const spec of specs) {
    prepareFunction(spec)
    runtime.functions.start(spec)
  }
  runtime.specs = [...runtime.specs, ...specs]
  await awaitThese(runtime, specs, signal)
}

/** Returns when each of those that should run answers. */
export function awaitAllFunctions(runtime: FunctionsRuntime): Promise<void> {
  return awaitThese(runtime, runtime.specs)
}

/**
 * Ends those that have no place any more, and those whose server moves: afterwards they could not
 * take leave of it. What was asked before is still answered.
 */
export async function stopFunctions(
  runtime: FunctionsRuntime,
  specs: readonly ProcessSpec[],
  report: (line: string) => void,
): Promise<void> {
  const ending = compareFunctions(runtime.specs, specs).filter(
    ({ effect, settings }) => effect === 'stop' || settings.includes('NATS_URL'),
  )
  if (ending.length === 0) return
  const names = ending.map(({ name }) => name)
  report(`stop ${names.join(', ')}`)
  await removeFunctions(runtime, names)
}

/** While those of one region start anew, the other regions answer its requests. */
export async function replaceFunctions(
  runtime: FunctionsRuntime,
  { specs, archipelago }: { specs: readonly ProcessSpec[]; archipelago: Archipelago },
  report: (line: string) => void,
): Promise<void> {
  const changes = compareFunctions(runtime.specs, specs)
  for (const { name: region } of archipelago.regions) {
    const ofRegion = specs.filter(({ env }) => env?.['ARCHIPELAGO_REGION'] === region)
    const changed = ofRegion.filter(({ name }) =>
      changes.some((change) => change.name === name && change.effect !== 'none'),
    )
    if (changed.length === 0) continue
    report(`start ${changed.map(({ name }) => name).join(', ')}`)
    const running = new Set(runtime.specs.map(({ name }) => name))
    const old = changed.map(({ name }) => name).filter((name) => running.has(name))
    await removeFunctions(runtime, old)
    await startFunctions(runtime, changed)
  }
}

async function removeFunctions(runtime: FunctionsRuntime, names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => runtime.functions.remove(name)))
  runtime.specs = runtime.specs.filter(({ name }) => !names.includes(name))
}

async function awaitThese(
  { supercluster, connectTo }: FunctionsRuntime,
  specs: readonly ProcessSpec[],
  signal?: AbortSignal,
): Promise<void> {
  const names = specs.map(({ name }) => name)
  await using access = await connectTo('access-operator', clientUrls(supercluster.regions))
  await awaitFunctions(access, names, { deadlineMs, signal })
}
