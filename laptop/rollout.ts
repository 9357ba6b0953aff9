// Changes of a running supercluster, in an order that keeps the mesh whole wherever that is possible.
import { rmSync } from 'node:fs'
import { Refusal } from '../core/errors.ts'
import { compareNetworks, type ProcessChange } from '../core/network/change.ts'
import { withoutOldPins } from '../core/network/pins.ts'
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
import { refuseTakenPorts } from './ports.ts'
import { reloadServer, serveCertificates, serverOf } from './reload.ts'
import { restartInTurn, restartTogether } from './restart.ts'
import { meshOf, type Report, type Running, startedServers, startServer } from './running.ts'

const meshDeadlineMs = 20_000

/** Says what would happen to which process; changes nothing. */
export function previewChanges(running: Running, source: NetworkSource): ProcessChange[] {
  const { options, plan, loaded } = running
  return compareNetworks(loaded, configurationsOf(previewNetwork(options.data, source, plan.pins)))
}

/**
 * What goes away first, and is cut off from all others; then reloads and restarts; what is new last,
 * when every peer admits it: else a gateway could lead to a server that its own region has no route to.
 * A refusal leaves the rest as it was, for the next call to go on.
 */
export async function applyChanges(
  running: Running,
  source: NetworkSource,
  report: Report,
): Promise<ProcessChange[]> {
  const { plan: before } = running
  const changes = await prepare(running, source, report)
  const names = namesOf(changes, 'restart')
  if (hasMoved(before, running.plan)) await restartTogether(running, names, report)
  else await restartInTurn(running, { names }, report)
  startNew(running, namesOf(changes, 'start'), report)
  await awaitWhole(running)
  return changes
}

/** All that needs no restart. */
async function prepare(
  running: Running,
  source: NetworkSource,
  report: Report,
): Promise<ProcessChange[]> {
  const after = await planNow(running, source)
  const changes = compareNetworks(running.loaded, configurationsOf(after))
  await refuseTakenPorts(newListeners(running.plan, after))
  await stopGone(running, namesOf(changes, 'stop'), report)
  await cutOff(running, after, report)
  await adopt(running, { plan: after, source })
  await reloadChanged(running, namesOf(changes, 'reload'), report)
  const starting = [...namesOf(changes, 'restart'), ...namesOf(changes, 'start')]
  await serveMade(running, starting, report)
  return changes
}

/**
 * Whoever is pinned no more could stay, and hinder others, until all have restarted. When it reloads,
 * nats-server ends his routes and gateways (2.15).
 */
async function cutOff(running: Running, after: NetworkPlan, report: Report): Promise<void> {
  const { plan, source, loaded } = running
  const pinned = withoutOldPins(loaded, configurationsOf(after))
  if (pinned.size === 0) return
  const servers = plan.servers.map((server) => ({
    ...server,
    configuration: pinned.get(server.name) ?? server.configuration,
  }))
  await adopt(running, { plan: { ...plan, servers }, source })
  for (const name of pinned.keys())
    await reloadChanged(running, [name], report).catch((error: unknown) => {
      if (!(error instanceof Refusal)) throw error
      // One that hangs keeps nobody out of the others, and what comes next restarts it.
      report(error.message)
    })
}

async function awaitWhole(running: Running): Promise<void> {
  await meshOf(running, { deadlineMs: meshDeadlineMs })
  removeOtherAnchors(homesOf(running.options.data), running.plan.anchors)
}

/** Not while a server reloads: it would load another configuration than is waited for. */
function adopt(running: Running, next: Pick<Running, 'plan' | 'source'>): Promise<void> {
  return running.reloading(() => {
    writePlan(running.options.data, next.plan)
    Object.assign(running, next)
    return Promise.resolve()
  })
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
  const places = newKeys.map((name) => ({ name, region: regionOf(running, name) }))
  for (const place of places) removeIdentity(running, place)
  if (places.length > 0) await prepare(running, running.source, report)
  const names = startedServers(running).map(({ name }) => name)
  await restartInTurn(running, { names, isDraining: true }, report)
  await awaitWhole(running)
}

function regionOf({ plan }: Running, name: string): string {
  const region = plan.regions.find(({ servers, leafnode }) =>
    [...servers, leafnode].some((server) => server.name === name),
  )
  if (region === undefined)
    throw new Refusal('ERR_SERVER_UNKNOWN', `unknown server: ${quote(name)}`)
  return region.name
}

/** The next plan makes another key. */
function removeIdentity({ options }: Running, place: { name: string; region: string }): void {
  const { certificate, key } = identityPaths(options.data, place)
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

async function reloadChanged(
  running: Running,
  names: readonly string[],
  report: Report,
): Promise<void> {
  for (const name of names) {
    report(`reload ${name}`)
    await reloadServer(running, name)
    running.loaded.set(name, serverOf(running.plan, name).configuration)
  }
}

function startNew(running: Running, names: readonly string[], report: Report): void {
  for (const name of names) {
    report(`start ${name}`)
    startServer(running, serverOf(running.plan, name))
  }
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
