// Servers of a running supercluster started anew.
import { Refusal } from '../core/errors.ts'
import { digestConfiguration } from '../core/network/configuration.ts'
import { loads } from './monitor.ts'
import { serverOf } from './reload.ts'
import { meshOf, type Report, type Running } from './running.ts'

const startDeadlineMs = 10_000
const meshDeadlineMs = 20_000

interface Restarts {
  readonly names: readonly string[]
  /** Clients are sent away first. */
  readonly isDraining?: boolean
}

/** Each when the one before it is meshed again. */
export async function restartInTurn(
  running: Running,
  { names, isDraining }: Restarts,
  report: Report,
): Promise<void> {
  for (const name of names) {
    report(isDraining ? `drain and restart ${name}` : `restart ${name}`)
    await restartServer(running, name, isDraining)
    await awaitMeshed(running, name)
  }
}

/** For servers that move to other ports: none finds its peers before all have moved. */
export async function restartTogether(
  running: Running,
  names: readonly string[],
  report: Report,
): Promise<void> {
  report(`restart ${names.join(', ')} together`)
  await Promise.all(names.map((name) => restartServer(running, name)))
}

async function restartServer(running: Running, name: string, drain = false): Promise<void> {
  const { supervisor, loaded, plan, unserved } = running
  // It reads its files when it starts; what is written after that is served later.
  unserved.delete(name)
  await supervisor.restart(name, { drain })
  loaded.set(name, serverOf(plan, name).configuration)
}

/** Waits until one process is where it belongs among those that run; what others miss may be missing. */
async function awaitMeshed(running: Running, name: string): Promise<void> {
  const { plan, loaded } = running
  const { monitor, configuration } = serverOf(plan, name)
  const patience = { before: undefined, deadlineMs: startDeadlineMs }
  if (!(await loads(monitor, digestConfiguration(configuration), patience))) {
    throw new Refusal('ERR_SERVER_FAILED', `${name} does not run its configuration: see its log`)
  }
  const regions = plan.regions
    .map((region) => ({ ...region, servers: region.servers.filter((one) => loaded.has(one.name)) }))
    .filter(({ servers }) => servers.length > 0)
  const mayRemain = (finding: { subject: string }) => finding.subject !== name
  await meshOf(
    { ...running, plan: { ...plan, regions } },
    { deadlineMs: meshDeadlineMs, mayRemain },
  )
}
