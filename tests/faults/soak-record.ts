// What a network wrote down since a moment: its servers' logs, its functions' decisions, what was issued.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { functionDoors } from '../../core/network/access-subject.ts'
import { auditFile } from '../../laptop/functions.ts'
import { leafnodePaths, serverPaths } from '../../laptop/layout.ts'
import { regionHome } from '../../store/homes.ts'
import type { TestNetwork } from '../test-network.ts'

export interface Since {
  /** Lines of faults of TLS, certificates and authorization. */
  faults(): string[]
  /** How often each server took its certificates and configuration anew. */
  reloads(): Map<string, number>
  refusals(): string[]
  /** Certificates of processes that were issued, by process. */
  issued(): Map<string, number>
}

const fault = /\[ERR\]|\[WRN\].*(TLS|certificate|auth)|Authorization|Authentication|handshake error/

/** Whoever dialled went away before TLS was done, as one does whose time is up on a busy machine. */
const gaveUp = /TLS handshake error: .*(connection reset by peer|EOF|i\/o timeout)$/

const isFault = (line: string) => fault.test(line) && !gaveUp.test(line)

/**
 * What stands between the beginning of a reload and its end about clients without a name: they had
 * come, and not said yet who they are. nats-server refuses them, and they ask again (nats/connect.ts).
 */
function withoutNewcomersOfReloads(lines: readonly string[]): string[] {
  let isReloading = false
  return lines.filter((line) => {
    if (line.endsWith('[INF] Reloaded: accounts')) isReloading = true
    if (line.endsWith('[INF] Reloaded server configuration')) isReloading = false
    return !(isReloading && nameless.test(line))
  })
}

const nameless = /[cw]id:\d+ - authentication error$/

export function since({ archipelago, homes, supercluster }: TestNetwork): Since {
  const regions = archipelago.regions.map(({ name }) => name)
  const logs = new Map(
    supercluster.regions.flatMap(({ servers, leafnode }) => [
      ...servers.map((server) => [server.name, serverPaths(homes.data, server).log] as const),
      [leafnode.name, leafnodePaths(homes.data, leafnode).log] as const,
    ]),
  )
  const audits = regions.flatMap((region) =>
    functionDoors.map((door) => auditFile(homes, region, door)),
  )
  const records = (): string[] =>
    regions.flatMap((region) => filesOf(join(regionHome(homes, region), 'identity', 'issued')))
  const starts = new Map(
    [...logs.values(), ...audits, ...records()].map((path) => [path, lengthOf(path)]),
  )
  const linesOf = (path: string): string[] =>
    textOf(path)
      .slice(starts.get(path) ?? 0)
      .split('\n')
  return {
    faults: () =>
      [...logs.values()].flatMap((log) => withoutNewcomersOfReloads(linesOf(log))).filter(isFault),
    reloads: () =>
      new Map(
        [...logs].map(([name, path]) => [
          name,
          linesOf(path).filter((line) => line.includes('Reloaded server configuration')).length,
        ]),
      ),
    refusals: () => audits.flatMap(linesOf).filter((line) => line.includes('"refused"')),
    issued: () => count(records().flatMap(linesOf)),
  }
}

const textOf = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '')
const lengthOf = (path: string): number => textOf(path).length
const filesOf = (folder: string): string[] => readdirSync(folder).map((name) => join(folder, name))

function count(lines: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const line of lines.filter((each) => each.startsWith('{'))) {
    const { holder } = JSON.parse(line) as { holder: string }
    counts.set(holder, (counts.get(holder) ?? 0) + 1)
  }
  return counts
}
