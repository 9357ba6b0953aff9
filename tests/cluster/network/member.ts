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

export interface Speaker {
  /** The words of NATS' own program in his place, up to what it shall do. */
  readonly nats: readonly string[]
  publish(subject: string, text: string): Promise<string>
  /** The first message, when it has come. */
  hear(subject: string): Promise<string>
}

export interface Member extends Speaker {
  /** The file with his credential. */
  readonly creds: string
}

/** Asks with the public lobby file for a credential of a key of his own, in the region's network. */
export async function joinAsMember(
  lab: Lab,
  operator: Operator,
  cluster: Cluster,
  name = `member-${cluster.region}`,
): Promise<Member> {
  const lobby = lobbyOf(operator)
  const { place } = wayInto(lab, cluster, lobby)
  const creds = join(lab.folder, `${name}.creds`)
  const ask = join(operator.folder, 'scripts', 'request-credentials.ts')
  const args = ['--network', lobby, '--out', creds, '--name', name, '--force']
  const at = ['--region', cluster.region, '--transport', 'nats']
  await runAt(place, [process.execPath, ask, ...args, ...at])
  return { creds, ...(await speakAt(lab, operator, { cluster, creds })) }
}

/** With a credential that somebody has, at whatever region. */
export async function speakAt(
  lab: Lab,
  operator: Operator,
  { cluster, creds }: { readonly cluster: Cluster; readonly creds: string },
): Promise<Speaker> {
  const { place, server, ca } = wayInto(lab, cluster, lobbyOf(operator))
  const program = await findTool('nats', { report: () => {} })
  const caFile = join(lab.folder, `${cluster.region}.ca.pem`)
  writeFileSync(caFile, ca)
  const nats = [...place, program, '--server', server, '--creds', creds, '--tlsca', caFile]
  return {
    nats,
    publish: (subject, text) => runAt(nats, ['pub', subject, text]),
    hear: (subject) => runAt(nats, ['sub', subject, '--raw', '--count=1']),
  }
}

/** Refused for who he is; what else keeps him from it is thrown. */
export async function isHeard({ publish }: Speaker): Promise<boolean> {
  try {
    await publish('chat.KUBECON.posts.General', 'am I heard?')
    return true
  } catch (error) {
    if (/authorization violation/i.test(String(error))) return false
    throw error
  }
}

function runAt(place: readonly string[], command: readonly string[]): Promise<string> {
  const [program = '', ...args] = [...place, ...command]
  return run(program, args)
}
