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
import { meshOf, type Report, type Running, startedServers, startServer } from './running.ts'

const startDeadlineMs = 10_000
const meshDeadlineMs = 20_000

/** Says what would happen to which process; changes nothing. */
export function previewChanges(running: Running, source: NetworkSource): ProcessChange[] {
  const { options, plan, loaded } = running
  return compareNetworks(loaded, configurationsOf(previewNetwork(options.data, source, plan.pins)))
}

/**
 * What goes away first, then reloads and restarts; what is new last, when every peer admits it: else a
 * gateway could lead to a server that its own region has no route to. A refusal leaves the rest as it
 * was, for the next call to go on.
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
  await stopGone(running, namesOf(changes, 'stop'), report)
  for (const name of namesOf(changes, 'reload')) {
    report(`reload ${name}`)
    await reloadServer(running, name)
    running.loaded.set(name, serverOf(after, name).configuration)
  }
  const [restarts, starts] = [namesOf(changes, 'restart'), namesOf(changes, 'start')]
  await serveMade(running, [...restarts, ...starts], report)
  await restartChanged(running, { before, names: restarts }, report)
  startNew(running, starts, report)
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

/** Whoever got a new certificate; those that start read it then. */
async function serveMade(
  running: Running,
  starting: readonly string[],
  report: Report,
): Promise<void> {
  for (const name of running.unserved) {
    if (starting.includes(name)) continue
    report(`new certificates for ${name}`)
    await serveCertificates(running, name)
  }
}

/** Every process, one after the other. */
export async function restartInTurn(running: Running, report: Report): Promise<void> {
  const names = startedServers(running).map(({ name }) => name)
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
  for (const { name } of startedServers(running)) {
    report(`drain and restart ${name}`)
    await restartServer(running, name, { drain: true })
    await awaitMeshed(running, name)
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

async function stopGone(running: Running, names: readonly string[], report: Report): Promise<void> {
  for (const name of names) report(`stop ${name}`)
  await Promise.all(names.map((name) => running.supervisor.remove(name)))
  for (const name of names) forget(running, name)
}

function forget({ loaded, unserved }: Running, name: string): void {
  loaded.delete(name)
  unserved.delete(name)
}

function startNew(running: Running, names: readonly string[], report: Report): void {
  for (const name of names) {
    report(`start ${name}`)
    startServer(running, serverOf(running.plan, name))
  }
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
    await awaitMeshed(running, name)
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
