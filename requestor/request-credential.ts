// A requestor asks for its credential: over NATS through the lobby, and where the lobby is full or
// out of reach, over HTTPS. The key is made here and never leaves.
import { randomBytes } from 'node:crypto'
import { makeAsk, readAnswer, type Asking } from '../core/access/ask.ts'
import { generateCurveKeyPair } from '../core/access/curve-key.ts'
import { regionsFrom, type Network } from '../core/access/network-file.ts'
import { Refusal } from '../core/errors.ts'
import { accessSubject } from '../core/network/access-subject.ts'
import type { Creds } from '../core/trust/creds.ts'
import type { NkeyPair } from '../core/trust/nkey.ts'
import { parseUser } from '../core/trust/user.ts'
import { askAccess } from '../nats/ask-access.ts'
import { connectLobby } from './connect-lobby.ts'
import { post } from './post.ts'

export interface CredentialRequest {
  readonly network: Network
  readonly role: string
  readonly name: string
  readonly pair: NkeyPair<'user'>
  readonly invite?: { readonly ticket: string; readonly key: NkeyPair<'user'> }
  /** Asked first; the others follow. */
  readonly region?: string
  readonly transport?: 'nats' | 'https' | 'any'
  readonly deadlineMs?: number
}
export interface Credential {
  readonly creds: Creds
  readonly accountJwt: string
  /** Whose function answered. */
  readonly region: string
  /** From the first try to the answer. */
  readonly tookMs: number
}

/** Refuses with the function's own refusal, or ERR_NO_ANSWER when no function of any region answered. */
export async function requestCredential(request: CredentialRequest): Promise<Credential> {
  const { transport = 'any' } = request
  if (transport === 'https') return requestOverHttps(request)
  try {
    return await requestOverNats(request)
  } catch (error) {
    const isReachable = error instanceof Refusal && !isUnreachable(error)
    if (transport === 'nats' || isReachable) throw error
    return requestOverHttps(request)
  }
}

function isUnreachable({ code }: Refusal): boolean {
  return code === 'ERR_CONNECT' || code === 'ERR_NO_ANSWER' || code === 'ERR_BUSY'
}

async function requestOverNats(request: CredentialRequest): Promise<Credential> {
  const { network, region, deadlineMs = 5_000 } = request
  const regions = regionsFrom(network.file, region)
  const asking = startAsking(request)
  const nc = await connectLobby(network, region)
  try {
    const started = performance.now()
    const ask = makeAsk(asking)
    const [, ...others] = regions
    const answer = await askAccess<Granted>(nc, {
      subjects: [
        accessSubject(asking.door, region),
        ...others.map(({ name }) => accessSubject(asking.door, name)),
      ],
      bytes: ask.bytes,
      inboxPrefix: '_INBOX',
      deadlineMs,
      read: (bytes) => {
        const read = readAnswer(bytes, ask, asking)
        if (read.kind === 'granted') return { verdict: 'done', answer: read }
        if (read.kind === 'ignored') return { verdict: 'wait' }
        if (read.isBusy) return { verdict: 'next' }
        throw read.refusal
      },
    })
    return toCredential(request, answer, performance.now() - started)
  } finally {
    await nc.close()
  }
}

async function requestOverHttps(request: CredentialRequest): Promise<Credential> {
  const { network, region, deadlineMs = 5_000 } = request
  const asking = startAsking(request)
  const started = performance.now()
  let last: unknown
  for (const { https } of regionsFrom(network.file, region)) {
    const url = https[asking.door]
    if (url === undefined) continue
    try {
      const ask = makeAsk({ ...asking, nowMs: Date.now() })
      const type = 'application/json'
      const bytes = await post(url, {
        body: ask.bytes,
        type,
        tls: { ca: network.file.ca },
        deadlineMs,
      })
      const read = readAnswer(bytes, ask, asking)
      if (read.kind === 'granted') return toCredential(request, read, performance.now() - started)
      last = read.kind === 'refused' ? read.refusal : new Refusal('ERR_ANSWER_ILLEGAL', read.reason)
      if (read.kind === 'refused' && !read.isBusy) throw read.refusal
    } catch (error) {
      if (error === last) throw error
      last = error
    }
  }
  const reason = last instanceof Error ? `; of the last one: ${last.message}` : ''
  throw new Refusal('ERR_NO_ANSWER', `no function of any region answered${reason}`, { cause: last })
}

interface Granted {
  readonly jwt: string
  readonly account: string
  readonly region: string
}

type Door = 'lobby' | 'invite'

function startAsking(request: CredentialRequest): Asking & { readonly door: Door } {
  const { network, role, name, pair, invite } = request
  const door: Door = invite === undefined ? 'lobby' : 'invite'
  return {
    operator: network.operator,
    door,
    role,
    name,
    pair,
    ...(invite && { invite }),
    curve: generateCurveKeyPair(),
    nonce: randomBytes(18).toString('base64url'),
    nowMs: Date.now(),
  }
}

function toCredential({ pair }: CredentialRequest, granted: Granted, tookMs: number): Credential {
  const creds: Creds = { user: parseUser(granted.jwt), pair }
  return { creds, accountJwt: granted.account, region: granted.region, tookMs }
}
