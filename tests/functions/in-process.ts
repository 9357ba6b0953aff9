// A function of a running network taken into this process, so that a part of it can be exchanged.
import { openDoors, type FunctionDoor } from '../../core/network/access-subject.ts'
import { parseFunctionEnvironment } from '../../functions/provisioning/environment.ts'
import {
  startFunction,
  type FunctionParts,
  type RunningFunction,
} from '../../functions/provisioning/start-function.ts'
import { functionName, planFunctions } from '../../laptop/functions.ts'
import type { TestNetwork } from '../test-network.ts'

export interface InProcess extends RunningFunction {
  /** What it reported, line by line. */
  readonly reported: readonly string[]
  readonly audited: readonly string[]
}

/** Ends the process of this door and serves in its place, with other parts. */
export async function takeOver(
  network: TestNetwork,
  { region, door, isAwaited = true }: { region: string; door: FunctionDoor; isAwaited?: boolean },
  parts: FunctionParts = {},
): Promise<InProcess> {
  const [reported, audited]: [string[], string[]] = [[], []]
  const name = functionName(region, door)
  if (network.functions.pids().has(name)) await network.functions.remove(name)
  const running = await startFunction(parseFunctionEnvironment(environmentOf(network, name)), {
    report: (line) => void reported.push(line),
    writeAudit: (line) => void audited.push(line),
    ...parts,
  })
  if (isAwaited) await running.health.ready
  return { ...running, reported, audited, health: running.health }
}

/** What a function process of this network is told. */
export function environmentOf(network: TestNetwork, name: string): NodeJS.ProcessEnv {
  const { archipelago, homes, supercluster } = network
  const { regions } = supercluster
  const specs = planFunctions({ archipelago, homes, regions, bundle: 'none' })
  const env = specs.find((spec) => spec.name === name)?.env
  if (env === undefined)
    throw new Error(`no function ${name}, only doors ${openDoors(archipelago.roles).join(', ')}`)
  return env
}
