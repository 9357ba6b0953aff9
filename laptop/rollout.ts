// Changes of a running supercluster, in an order that keeps the mesh whole wherever that is possible.
import { rmSync } from 'node:fs'
import { Refusal } from '../core/errors.ts'
import { compareNetworks, type ProcessChange } from '../core/network/change.ts'
import { digestConfiguration } from '../core/network/configuration.ts'
import { quote } from '../core/quote.ts'
import { formatHostPort } from '../core/network/endpoint.ts'
import { homesOf } from '../store/homes.ts'
import {
  type NetworkPlan,
  type NetworkSource,
  planNetwork,
  previewNetwork,
  writePlan,
} from './configurations.ts'
import { removeOtherAnchors } from './identity/anchors.ts'
import { identityPaths } from './layout.ts'
import { listenersOf } from './listeners.ts'
import { loads } from './monitor.ts'
import { refuseTakenPorts } from './ports.ts'
import { reloadServer, serveCertificates, serverOf } from './reload.ts'
import { meshOf, type Report, type Running, startServer } from './running.ts'

const startDeadlineMs = 10_000
const meshDeadlineMs = 20_000

/** Says what would happen to which process; changes nothing. */
export function previewChanges(running: Running, source: NetworkSource): ProcessChange[] {
  const { options, plan, loaded } = running
  return compareNetworks(loaded, configurationsOf(previewNetwork(options.data, source, plan.pins)))
}

/**
 * What goes away first, then what is new, reloads, restarts; a refusal leaves the rest as it was, for
 * the next call to go on.
 */
export async function applyChanges(
  running: Running,
  source: NetworkSource,
  report: Report,
): Promise<ProcessChange[]> {
  const { options, plan: before } = running
  const after = await planNow(running, source)
  const changes = compareNetworks(running.loaded, configurationsOf(after))
  await refuseTakenPorts(newListeners(before, after))
  // Not while a server reloads: it would load another configuration than is waited for.
  await running.reloading(() => Promise.resolve(adopt(running, { plan: after, source })))
  await stopAndStart(running, changes, report)
  for (const name of namesOf(changes, 'reload')) {
    report(`reload ${name}`)
    await reloadServer(running, name)
    running.loaded.set(name, serverOf(after, name).configuration)
  }
  const restarts = namesOf(changes, 'restart')
  await serveMade(running, restarts, report)
  await restartChanged(running, { before, names: restarts }, report)
  await meshOf(running, { deadlineMs: meshDeadlineMs })
  removeOtherAnchors(homesOf(options.data), after.anchors)
  return changes
}

function adopt(running: Running, next: Pick<Running, 'plan' | 'source'>): void {
  writePlan(running.options.data, next.plan)
  Object.assign(running, next)
}

function planNow(running: Running, source: NetworkSource): Promise<NetworkPlan> {
  const { data, nowMs = Date.now } = running.options
  return running.issuing(async () => {
    const plan = await planNetwork(data, source, { nowMs: nowMs() })
    for (const name of plan.made) running.unserved.add(name)
    return plan
  })
}

/** Whoever got a new certificate; those that restart read it then. */
async function serveMade(
  running: Running,
  restarts: readonly string[],
  report: Report,
): Promise<void> {
  for (const name of running.unserved) {
    if (restarts.includes(name)) continue
    report(`new certificates for ${name}`)
    await serveCertificates(running, name)
  }
}

/** Every process, one after the other. */
export async function restartInTurn(running: Running, report: Report): Promise<void> {
  const names = running.plan.servers.map(({ name }) => name)
  await restartChanged(running, { before: running.plan, names }, report)
}

/**
 * Makes every route, gateway and leafnode anew, by the certificates of now: each server is drained and
 * restarted when the one before it is meshed again. Those of `newKeys` get new keys before that, and
 * their old ones are pinned no more. Refuses a name that is no server's.
 */
export async function restartLinks(
  running: Running,
  newKeys: readonly string[],
  report: Report,
): Promise<void> {
  for (const name of newKeys) removeIdentity(running, name)
  if (newKeys.length > 0) await applyChanges(running, running.source, report)
  for (const { name } of running.plan.servers) {
    report(`drain and restart ${name}`)
    await restartServer(running, name, { drain: true })
    await awaitMeshed(running, { before: running.plan, name })
  }
  await meshOf(running, { deadlineMs: meshDeadlineMs })
}

/** The next plan makes another key. */
function removeIdentity({ plan, options }: Running, name: string): void {
  const region = plan.regions.find(({ servers, leafnode }) =>
    [...servers, leafnode].some((server) => server.name === name),
  )
  if (region === undefined)
    throw new Refusal('ERR_SERVER_UNKNOWN', `unknown server: ${quote(name)}`)
  const { certificate, key } = identityPaths(options.data, { name, region: region.name })
  for (const path of [certificate, key]) rmSync(path, { force: true })
}

async function stopAndStart(
  running: Running,
  changes: readonly ProcessChange[],
  report: Report,
): Promise<void> {
  const stopped = namesOf(changes, 'stop')
  for (const name of stopped) report(`stop ${name}`)
  await Promise.all(stopped.map((name) => running.supervisor.remove(name)))
  for (const name of stopped) forget(running, name)
  for (const name of namesOf(changes, 'start')) {
    report(`start ${name}`)
    startServer(running, serverOf(running.plan, name))
  }
}

function forget({ loaded, unserved }: Running, name: string): void {
  loaded.delete(name)
  unserved.delete(name)
}

interface Restarts {
  readonly before: NetworkPlan
  readonly names: readonly string[]
}

/** In turn, unless the servers move to other ports: then none finds its peers before all have moved. */
async function restartChanged(
  running: Running,
  { before, names }: Restarts,
  report: Report,
): Promise<void> {
  if (hasMoved(before, running.plan)) {
    report(`restart ${names.join(', ')} together`)
    await Promise.all(names.map((name) => restartServer(running, name)))
    return
  }
  for (const name of names) {
    report(`restart ${name}`)
    await restartServer(running, name)
    await awaitMeshed(running, { before, name })
  }
}

async function restartServer(
  running: Running,
  name: string,
  how?: { readonly drain: boolean },
): Promise<void> {
  const { supervisor, loaded, plan, unserved } = running
  // It reads its files when it starts; what is written after that is served later.
  unserved.delete(name)
  await supervisor.restart(name, how)
  loaded.set(name, serverOf(plan, name).configuration)
}

/** Waits until one process is where it belongs among those that are old and new; what else is missing may be. */
async function awaitMeshed(
  { options, plan, reloading }: Pick<Running, 'options' | 'plan' | 'reloading'>,
  { before, name }: { before: NetworkPlan; name: string },
): Promise<void> {
  const { monitor, configuration } = serverOf(plan, name)
  const patience = { before: undefined, deadlineMs: startDeadlineMs }
  if (!(await loads(monitor, digestConfiguration(configuration), patience))) {
    throw new Refusal('ERR_SERVER_FAILED', `${name} does not run its configuration: see its log`)
  }
  const known = new Set(before.servers.map((server) => server.name))
  const regions = plan.regions
    .map((region) => ({ ...region, servers: region.servers.filter((one) => known.has(one.name)) }))
    .filter(({ servers }) => servers.length > 0)
  const mayRemain = (finding: { subject: string }) => finding.subject !== name
  await meshOf(
    { options, reloading, plan: { ...plan, regions } },
    { deadlineMs: meshDeadlineMs, mayRemain },
  )
}

const configurationsOf = ({ servers }: NetworkPlan) =>
  new Map(servers.map(({ name, configuration }) => [name, configuration]))

function newListeners(before: NetworkPlan, after: NetworkPlan) {
  const held = new Set(allListeners(before).map(keyOf))
  return allListeners(after).filter((listener) => !held.has(keyOf(listener)))
}

const allListeners = ({ regions, doors }: NetworkPlan) => listenersOf(regions, doors)

const keyOf = ({ endpoint }: ReturnType<typeof allListeners>[number]) =>
  formatHostPort(endpoint.listen, endpoint.port)

function hasMoved(before: NetworkPlan, after: NetworkPlan): boolean {
  const old = new Map(allListeners(before).map((listener) => [listener.purpose, keyOf(listener)]))
  return allListeners(after).some((listener) => {
    const where = old.get(listener.purpose)
    return where !== undefined && where !== keyOf(listener)
  })
}

const namesOf = (changes: readonly ProcessChange[], wanted: ProcessChange['effect']) =>
  changes.filter(({ effect }) => effect === wanted).map(({ name }) => name)
