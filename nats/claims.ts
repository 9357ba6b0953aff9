// Account JWTs in the servers' resolvers: pushed and read over the system account.
import type { NatsConnection } from '@nats-io/nats-core'
import { gather, type GatherOptions } from './gather.ts'
import type { ServerIdentity } from './system.ts'

export interface AccountUpdate {
  readonly server: ServerIdentity
  /** The server's own words when it did not store the account. */
  readonly refusal?: string
}

/**
 * Pushes an account JWT to every full resolver. 200 says that a server stored it, not that its
 * operator signed it (nats-server 2.15): check the chain before, compare ACCOUNTZ after.
 */
export async function updateAccount(
  connection: NatsConnection,
  jwt: string,
  options: GatherOptions = {},
): Promise<AccountUpdate[]> {
  const messages = await gather(connection, '$SYS.REQ.CLAIMS.UPDATE', jwt, options)
  return messages.map((message) => {
    const { server, data, error } = message.json<UpdateAnswer>()
    if (data?.code === 200) return { server }
    return { server, refusal: error?.description ?? data?.message ?? 'no reason given' }
  })
}

interface UpdateAnswer {
  readonly server: ServerIdentity
  readonly data?: { readonly code: number; readonly message: string }
  readonly error?: { readonly code: number; readonly description: string }
}

/** The JWTs that the resolvers hold for an account, without their servers' names; empty ones are left out. */
export async function lookupAccount(
  connection: NatsConnection,
  publicKey: string,
  options: GatherOptions = {},
): Promise<string[]> {
  const subject = `$SYS.REQ.ACCOUNT.${publicKey}.CLAIMS.LOOKUP`
  const messages = await gather(connection, subject, '', options)
  return messages.map((message) => message.string()).filter((jwt) => jwt !== '')
}
