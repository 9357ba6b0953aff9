// Account JWTs in the servers' resolvers: pushed and read over the system account.
import { errors, type Msg, type NatsConnection } from '@nats-io/nats-core'
import { decodeJwt } from '../core/trust/jwt.ts'
import { gather, type GatherOptions } from './gather.ts'
import type { ServerIdentity } from './system.ts'

export interface AccountUpdate {
  readonly server: ServerIdentity
  /** False for a server of a memory resolver: it runs the account until its next reload. */
  readonly isStored: boolean
  /** The server's own words when it did not store the account. */
  readonly refusal?: string
}

/**
 * Pushes an account JWT to every server: to full resolvers, and where there is none to what runs. 200 says that a server stored it, not that its
 * operator signed it (nats-server 2.15): check the chain before, compare ACCOUNTZ after.
 */
export async function updateAccount(
  connection: NatsConnection,
  jwt: string,
  options: GatherOptions = {},
): Promise<AccountUpdate[]> {
  const stored = await gatherIfAny(connection, '$SYS.REQ.CLAIMS.UPDATE', jwt, options)
  const isStored = stored.length > 0
  const messages = isStored ? stored : await gather(connection, runningSubject(jwt), jwt, options)
  return messages.map((message) => {
    const { server, data, error } = message.json<UpdateAnswer>()
    if (data?.code === 200) return { server, isStored }
    const refusal = error?.description ?? data?.message ?? 'no reason given'
    return { server, isStored, refusal }
  })
}

const runningSubject = (jwt: string): string =>
  `$SYS.REQ.ACCOUNT.${decodeJwt('account', jwt).claims.sub}.CLAIMS.UPDATE`

/** Memory resolvers do not listen. */
async function gatherIfAny(...asked: Parameters<typeof gather>): Promise<Msg[]> {
  try {
    return await gather(...asked)
  } catch (error) {
    if (error instanceof errors.NoRespondersError) return []
    throw error
  }
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
  const messages = await gatherIfAny(connection, subject, '', options)
  return messages.map((message) => message.string()).filter((jwt) => jwt !== '')
}
