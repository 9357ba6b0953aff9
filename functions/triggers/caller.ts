import type { Msg } from '../../nats/connect.ts'
import type { Caller } from '../provisioning/audit.ts'

/**
 * Who asks, by the word of the requestor's server: it writes this header for a shared import, over
 * whatever the requestor put there. `user` in it is no more than what the client said of itself
 * (nats-server 2.15.2, getRawAuthUser); the JWT is what it proved.
 */
export function callerOf(msg: Msg): Caller {
  const text = msg.headers?.get('Nats-Request-Info')
  if (!text) return unknown
  const known = callers.get(text) ?? readCaller(text)
  if (callers.size >= callersMax) callers.clear()
  callers.set(text, known)
  return known
}

/**
 * Whether a request has headers and names nobody by them: its sender broke them, so that what his server wrote
 * there cannot be read. Where no server says who asks there are no headers.
 */
export function isHidden(msg: Msg, caller: Caller): boolean {
  return caller === unknown && msg.headers !== undefined
}

const unknown: Caller = { trigger: 'nats', source: 'unknown' }
// A connection's header is the same for all of its requests between two pings.
const callers = new Map<string, Caller>()
const callersMax = 1_000

function readCaller(text: string): Caller {
  const { server, id, jwt } = readInfo(text)
  if (typeof server !== 'string') return unknown
  const source = `${server}#${String(id)}`
  const nkey = subjectOf(jwt)
  const connection = typeof id === 'number' ? { connection: id } : {}
  return { trigger: 'nats', source, server, ...connection, ...(nkey !== undefined && { nkey }) }
}

function subjectOf(jwt: unknown): string | undefined {
  if (typeof jwt !== 'string') return undefined
  const claims = Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()
  const { sub } = readInfo(claims)
  return typeof sub === 'string' ? sub : undefined
}

function readInfo(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
