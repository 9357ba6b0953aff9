// A server takes what lies on the disk: its configuration, and the certificates that it names.
import { setTimeout as delay } from 'node:timers/promises'
import { Refusal } from '../core/errors.ts'
import { digestConfiguration } from '../core/network/configuration.ts'
import type { NetworkPlan, PlannedServer } from './configurations.ts'
import { requireServed } from './identity/served.ts'
import { loads, readLoaded } from './monitor.ts'
import type { Running } from './running.ts'

const reloadDeadlineMs = 3000
const servedMsMax = 3000
const servedPauseMs = 100

/** SIGHUP, and then what the server says that it runs: the file on disk, loaded just now. */
export function reloadServer(running: Running, name: string): Promise<void> {
  return running.reloading(() => reload(running, name))
}

/** A process shows the certificates of its files; refuses where one of its listeners does not. */
export async function serveCertificates(running: Running, name: string): Promise<void> {
  const { plan, source, options } = running
  const network = { ...source, regions: plan.regions, data: options.data }
  const serve = async (): Promise<void> => {
    if (isServer(plan, name)) await reload(running, name)
    await requireServedSoon(() => requireServed(network, name))
    running.unserved.delete(name)
  }
  // Nobody writes another one meanwhile.
  await running.reloading(() => running.issuing(serve))
}

async function reload(running: Running, name: string): Promise<void> {
  const { monitor, configuration } = serverOf(running.plan, name)
  const before = await readLoaded(monitor)
  if (before === undefined) {
    throw new Refusal('ERR_RELOAD_FAILED', `${name} does not answer on its monitoring port`)
  }
  running.supervisor.signal(name, 'SIGHUP')
  const patience = { before, deadlineMs: reloadDeadlineMs }
  if (await loads(monitor, digestConfiguration(configuration), patience)) return
  throw new Refusal('ERR_RELOAD_FAILED', `${name} does not take its configuration: see its log`)
}

/** A function watches its own files, and a busy machine keeps everybody waiting. */
async function requireServedSoon(look: () => Promise<void>): Promise<void> {
  for (const deadline = performance.now() + servedMsMax; ;) {
    try {
      return await look()
    } catch (error) {
      if (performance.now() > deadline) throw error
      await delay(servedPauseMs)
    }
  }
}

const isServer = ({ servers }: NetworkPlan, name: string) =>
  servers.some((server) => server.name === name)

export function serverOf({ servers }: NetworkPlan, name: string): PlannedServer {
  const server = servers.find((one) => one.name === name)
  if (server === undefined) throw new RangeError(`no such server: '${name}'`)
  return server
}
