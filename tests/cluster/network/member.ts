// People of a region: they get a credential from its function, and speak to its servers, from outside of its
// cluster.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findTool } from '../../../laptop/tools.ts'
import type { Cluster } from '../lab/cluster.ts'
import type { Lab } from '../lab/lab.ts'
import { run } from '../lab/run.ts'
import type { Operator } from './operator.ts'
import { lobbyOf, wayInto } from './way-in.ts'

export interface Member {
  publish(subject: string, text: string): Promise<string>
  /** The first message, when it has come. */
  hear(subject: string): Promise<string>
}

/** Asks with the public lobby file for a credential of a key of his own, in the region's network. */
export async function joinAsMember(
  lab: Lab,
  operator: Operator,
  cluster: Cluster,
): Promise<Member> {
  const { region } = cluster
  const lobby = lobbyOf(operator)
  const { place, server, ca } = wayInto(lab, cluster, lobby)
  const runHere = (...command: readonly string[]) => runAt(place, command)
  const creds = join(lab.folder, `${region}.creds`)
  const ask = join(operator.folder, 'scripts', 'request-credentials.ts')
  const args = ['--network', lobby, '--out', creds, '--name', `member-${region}`, '--force']
  await runHere(process.execPath, ask, ...args, '--region', region, '--transport', 'nats')
  const nats = await findTool('nats', { report: () => {} })
  const caFile = join(lab.folder, `${region}.ca.pem`)
  writeFileSync(caFile, ca)
  const base = [nats, '--server', server, '--creds', creds, '--tlsca', caFile]
  return {
    publish: (subject, text) => runHere(...base, 'pub', subject, text),
    hear: (subject) => runHere(...base, 'sub', subject, '--raw', '--count=1'),
  }
}

function runAt(place: readonly string[], command: readonly string[]): Promise<string> {
  const [program = '', ...args] = [...place, ...command]
  return run(program, args)
}
