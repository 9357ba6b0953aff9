// What commands share that cut connections: who would be cut, the cutting, and what is said of it.
import type { LiveConnection } from '../../core/access/live-connection.ts'
import type { Revoked } from '../../core/trust/declared-state.ts'
import type { NatsConnection } from '../../nats/connect.ts'
import {
  enforceRevocation,
  findTargets,
  type RevocationReport,
} from '../../nats/enforce-revocation.ts'
import { describeDenyListPush, describePush } from '../describe-push.ts'
import type { OperatorSession } from '../operator-session.ts'

export async function find(
  session: OperatorSession,
  target: Revoked,
): Promise<readonly LiveConnection[]> {
  const pusher = await session.connectAs('pusher')
  try {
    return (await findTargets({ pusher }, target, session)).found
  } finally {
    await pusher.close()
  }
}

export async function enforce(
  session: OperatorSession,
  target: Revoked,
): Promise<RevocationReport> {
  await using connections = new AsyncDisposableStack()
  const connect = async (user: 'pusher' | 'access-operator'): Promise<NatsConnection> =>
    connections.adopt(await session.connectAs(user), (connection) => connection.close())
  const enforcers = { pusher: await connect('pusher'), access: await connect('access-operator') }
  return await enforceRevocation(enforcers, target, session)
}

export function showFound(found: readonly LiveConnection[], json: true | undefined): void {
  const lines = found.map(({ server, cid, nkey, claims }) => ({
    server: server.name,
    connection: cid,
    nkey,
    name: claims?.name,
  }))
  if (json) console.log(JSON.stringify({ isDryRun: true, connections: lines }, undefined, 2))
  else if (lines.length === 0) console.log('nobody is connected by it')
  else
    for (const { server, connection, nkey, name } of lines)
      console.log(`would cut ${nkey} (${name}), connection ${connection} of ${server}`)
}

export function showReport(report: RevocationReport, json: true | undefined): void {
  if (!report.isDone) process.exitCode = 1
  const { nkeys, accounts, denyList, kicked, unread, isDone } = report
  if (json) {
    const cids = kicked.map(({ server, cid, nkey }) => ({ server: server.name, cid, nkey }))
    return console.log(JSON.stringify({ ...report, kicked: cids }, undefined, 2))
  }
  for (const nkey of nkeys) console.log(`revoked ${nkey}`)
  for (const push of accounts) for (const line of describePush(push)) console.log(line)
  for (const line of describeDenyListPush(denyList)) console.log(line)
  for (const { server, nkey } of kicked) console.log(`kicked ${nkey} from ${server.name}`)
  for (const name of unread) console.log(`  ${name}: does not list its connections`)
  if (!isDone) console.error('not everywhere yet: look at the named ones, then run it again')
}
