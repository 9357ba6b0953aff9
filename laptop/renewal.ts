// The certificates of a running supercluster, renewed process by process.
import type { Life } from '../core/identity/lifetime.ts'
import { homesOf } from '../store/homes.ts'
import { renewCertificates } from './identity/certificates.ts'
import { holdersOf, type CertificateHolder } from './identity/holders.ts'
import { keepRenewed } from './identity/keep-renewed.ts'
import { leavesOf, readLeaf } from './identity/leaves.ts'
import { serveCertificates } from './reload.ts'
import { startedServers, type Running } from './running.ts'

/** Until disposed; what was begun is ended then. */
export function keepCertificatesRenewed(running: Running): AsyncDisposable {
  const { data, nowMs = Date.now, report = () => {}, detail } = running.options
  const work = {
    names: () => namesNow(running),
    life: (name: string) => lifeOf(data, holderNow(running, name)),
    renew: (name: string) => renew(running, name),
    isServed: (name: string) => !running.unserved.has(name),
    serve: (name: string) => serveCertificates(running, name),
  }
  const lifetimeMs = () => running.source.archipelago.identity.leafLifetimeSeconds * 1000
  return keepRenewed(work, { report, detail, nowMs, random: Math.random, lifetimeMs })
}

function renew(running: Running, name: string): Promise<void> {
  const { data, nowMs = Date.now } = running.options
  return running.issuing(async () => {
    const { archipelago } = running.source
    const at = { homes: homesOf(data), archipelago, nowMs: nowMs() }
    // First, for a renewal that is cut off has to be served as well.
    running.unserved.add(name)
    await renewCertificates(at, holderNow(running, name))
  })
}

const holdersNow = ({ plan: { regions, doors }, source: { archipelago } }: Running) =>
  holdersOf(archipelago, regions, doors)

/** A server that is not started yet reads its certificates when it is. */
function namesNow(running: Running): string[] {
  const started = startedServers(running)
  const waiting = running.plan.servers.filter((server) => !started.includes(server))
  const names = holdersNow(running).map(({ name }) => name)
  return names.filter((name) => !waiting.some((server) => server.name === name))
}

function holderNow(running: Running, name: string): CertificateHolder {
  const holder = holdersNow(running).find((each) => each.name === name)
  if (holder === undefined) throw new RangeError(`no such process: '${name}'`)
  return holder
}

function lifeOf(data: string, holder: CertificateHolder): Life | undefined {
  const leaves = leavesOf(data, holder).map((place) => readLeaf(place)?.leaf)
  const known = leaves.filter((leaf) => leaf !== undefined)
  if (known.length < leaves.length) return undefined
  return known.toSorted((a, b) => a.notAfterMs - b.notAfterMs)[0]
}
