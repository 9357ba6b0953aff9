import { Refusal } from '../../core/errors.ts'
import type { NatsConnection } from '../../nats/connect.ts'
import { pushAccounts, type AccountPush, type Push } from '../../nats/push-accounts.ts'

/** Refuses by naming the servers that do not hold what was pushed; all others do. */
export async function pushOrRefuse(connection: NatsConnection, push: Push): Promise<void> {
  const undone = (await pushAccounts(connection, push)).filter(({ isDone }) => !isDone)
  if (undone.length === 0) return
  throw new Refusal('ERR_NOT_PUSHED', undone.map(describe).join('; '))
}

function describe({ account, servers, resolvers, strangers }: AccountPush): string {
  const behind = servers
    .filter(({ state }) => state !== 'updated' && state !== 'not-loaded')
    .map(({ server, state }) => `${server} ${state}`)
  const others = resolvers.other === 0 ? [] : [`${resolvers.other} resolvers hold another`]
  return `account ${account} is not everywhere: ${[...behind, ...others, ...strangers].join(', ')}`
}
