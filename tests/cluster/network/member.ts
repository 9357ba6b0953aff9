// People of a region: they get a credential from its function, and speak to its servers, by the names
// that the whole world knows them by.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findTool } from '../../../laptop/tools.ts'
import type { Cluster } from '../lab/cluster.ts'
import type { Lab } from '../lab/lab.ts'
import type { Operator } from './operator.ts'

export interface Member {
  publish(subject: string, text: string): Promise<string>
  /** The first message, when it has come. */
  hear(subject: string): Promise<string>
}

const heardMs = 60_000

/** Asks with the public lobby file for a credential of a key of his own, in the region's network. */
export async function joinAsMember(
  lab: Lab,
  operator: Operator,
  cluster: Cluster,
): Promise<Member> {
  const { region } = cluster
  const run = await openShell(lab, cluster)
  const lobby = join(operator.public, 'archipelago.lobby.json')
  const creds = join(lab.folder, `${region}.creds`)
  const ask = join(operator.folder, 'scripts', 'request-credentials.ts')
  const args = ['--network', lobby, '--out', creds, '--name', `member-${region}`, '--force']
  await run(process.execPath, [ask, ...args, '--region', region, '--transport', 'nats'])
  const nats = await findTool('nats', { report: () => {} })
  const ca = join(lab.folder, `${region}.ca.pem`)
  writeFileSync(ca, (JSON.parse(readFileSync(lobby, 'utf8')) as { ca: string }).ca)
  const server = `tls://${region}.nats.archipelago.example:4222`
  const base = ['--server', server, '--creds', creds, '--tlsca', ca]
  return {
    publish: (subject, text) => run(nats, [...base, 'pub', subject, text]),
    hear: (subject) => run(nats, [...base, 'sub', subject, '--raw', '--count=1'], heardMs),
  }
}

/** A program in the region's first node, where its services have addresses. */
async function openShell(lab: Lab, cluster: Cluster) {
  const { region, nodes, kubectl, runIn } = cluster
  const path = ['-n', 'nats', 'get', 'service', 'nats-client', '-o', 'jsonpath={.spec.clusterIP}']
  const address = await kubectl(path)
  const hosts = join(lab.folder, `${region}.hosts`)
  writeFileSync(hosts, `127.0.0.1 localhost\n${address} ${region}.nats.archipelago.example\n`)
  const script = 'mount --bind "$0" /etc/hosts && exec "$@"'
  const [{ name } = { name: '' }] = nodes
  return (command: string, args: readonly string[], deadlineMs = 60_000) =>
    runIn(name, 'unshare', ['--mount', 'sh', '-c', script, hosts, command, ...args], { deadlineMs })
}
