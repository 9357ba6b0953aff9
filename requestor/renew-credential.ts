// Whoever has a credential gets the next one over its own connection: for the same key, name and role,
// at the door that the first one came by. The lobby may be full meanwhile.
import { randomBytes } from 'node:crypto'
import { makeAsk, readAnswer, type Ask, type Asking } from '../core/access/ask.ts'
import { generateCurveKeyPair } from '../core/access/curve-key.ts'
import type { Network } from '../core/access/network-file.ts'
import { Refusal } from '../core/errors.ts'
import { renewSubject, type AccessDoor } from '../core/network/access-subject.ts'
import { parseAccount } from '../core/trust/account.ts'
import { requireScope } from '../core/trust/chain.ts'
import { parseScopeName } from '../core/trust/declare.ts'
import { parseUser } from '../core/trust/user.ts'
import { askAccess } from '../nats/ask-access.ts'
import type { NatsConnection } from '../nats/connect.ts'
import type { Credential } from './request-credential.ts'

export interface CredentialRenewal {
  readonly network: Network
  readonly current: Pick<Credential, 'creds' | 'accountJwt'>
  readonly deadlineMs?: number
}

/**
 * Asks over the credential's own connection. Refuses with the function's own refusal, with
 * ERR_NO_ANSWER when no function of any region answered, and an answer that does not outlive the
 * current credential.
 */
export async function renewCredential(
  nc: NatsConnection,
  renewal: CredentialRenewal,
): Promise<Credential> {
  const { network, current, deadlineMs = 5_000 } = renewal
  const asking = startAsking(renewal)
  const ask = makeAsk(asking)
  const started = performance.now()
  const granted = await askAccess(nc, {
    subjects: subjectsFrom(nc, network, asking.door),
    bytes: ask.bytes,
    inboxPrefix: `_INBOX.${asking.pair.publicKey}`,
    deadlineMs,
    read: (bytes) => readGranted(bytes, ask, asking),
  })
  const user = parseUser(granted.jwt)
  requireLater(user.claims.exp, current.creds.user.claims.exp)
  return {
    creds: { user, pair: asking.pair },
    accountJwt: granted.account,
    region: granted.region,
    tookMs: performance.now() - started,
  }
}

/** A server's cluster is its region: there the subject without a name is answered. */
function subjectsFrom({ info }: NatsConnection, { file }: Network, door: AccessDoor): string[] {
  const elsewhere = file.regions.filter(({ name }) => name !== info?.cluster)
  return [renewSubject(door), ...elsewhere.map(({ name }) => renewSubject(door, name))]
}

function startAsking({
  network,
  current,
}: CredentialRenewal): Asking & { readonly door: AccessDoor } {
  const { user, pair } = current.creds
  const { role, door } = originOf(network, current)
  return {
    operator: network.operator,
    door,
    role,
    name: user.claims.name ?? '',
    pair,
    curve: generateCurveKeyPair(),
    nonce: randomBytes(18).toString('base64url'),
    nowMs: Date.now(),
    currentJwt: user.text,
  }
}

/** Role and door stand in the ceiling under which the current credential was signed. */
function originOf({ operator }: Network, { creds, accountJwt }: CredentialRenewal['current']) {
  const scope = requireScope(creds.user, parseAccount(accountJwt, operator))
  const origin = parseScopeName(scope.role)
  if (origin === undefined)
    throw new Refusal('ERR_RENEWAL_ILLEGAL', `not a credential of a role: ${scope.role}`)
  const { role, door } = origin
  if (door === 'identity')
    throw new Refusal('ERR_RENEWAL_ILLEGAL', 'came of a token: only the next token renews it')
  return { role, door }
}

type Granted = Extract<ReturnType<typeof readAnswer>, { kind: 'granted' }>

function readGranted(bytes: Uint8Array, ask: Ask, asking: Asking) {
  const read = readAnswer(bytes, ask, asking)
  if (read.kind === 'granted') return { verdict: 'done' as const, answer: read satisfies Granted }
  if (read.kind === 'ignored') return { verdict: 'wait' as const }
  if (read.isBusy) return { verdict: 'next' as const }
  throw read.refusal
}

/** Unix seconds. One that ends no later is of no use, and might be an old one played again. */
function requireLater(next = Infinity, current = Infinity): void {
  if (next <= current)
    throw new Refusal('ERR_ANSWER_ILLEGAL', `answer ends no later than the current: ${next}`)
}
