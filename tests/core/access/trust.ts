// A trust in memory for the tests of decisions: an operator, its accounts, one region's keys.
import { randomBytes } from 'node:crypto'
import { generateCurveKeyPair } from '../../../core/access/curve-key.ts'
import type { DecisionContext } from '../../../core/access/decision.ts'
import { encodeProof, signProof, type ProofClaims } from '../../../core/access/proof.ts'
import { parseArchipelago, type Archipelago } from '../../../core/archipelago.ts'
import type { FunctionDoor } from '../../../core/network/access-subject.ts'
import { signAccount, type AccountJwt } from '../../../core/trust/account.ts'
import { accountNames, declareAccounts } from '../../../core/trust/declare.ts'
import { signDenyList, type DenyList, type Denied } from '../../../core/trust/deny-list.ts'
import { signTicket } from '../../../core/trust/invite.ts'
import { nkeyPairFrom, type Nkey, type NkeyPair, type NkeyRole } from '../../../core/trust/nkey.ts'
import { signOperator, type OperatorJwt } from '../../../core/trust/operator.ts'
import { signUser, type User } from '../../../core/trust/user.ts'
import { good } from '../archipelago/example.ts'

export const nowMs = 1_800_000_000_500
export const nowSeconds = Math.floor(nowMs / 1000)

export function makePair<R extends NkeyRole>(role: R): NkeyPair<R> {
  return nkeyPairFrom(role, randomBytes(32))
}

export interface Trust {
  readonly archipelago: Archipelago
  readonly operator: OperatorJwt
  /** The operator's signing key. */
  readonly signer: NkeyPair<'operator'>
  readonly accounts: ReadonlyMap<string, AccountJwt>
  readonly account: AccountJwt
  /** By the names of their ceilings: `member.lobby.ams3`, `leafnode.ams3`, `lobby`. */
  readonly keys: ReadonlyMap<string, NkeyPair<'account'>>
  context(door: FunctionDoor, changes?: Partial<DecisionContext>): DecisionContext
  denyList(added?: Partial<Denied>): DenyList
}

export interface TrustOptions {
  readonly yaml?: string
  readonly revocations?: Readonly<Record<string, number>>
}

export function makeTrust({ yaml = good, revocations = {} }: TrustOptions = {}): Trust {
  const archipelago = parseArchipelago(yaml, 'archipelago.yaml')
  const identity = makePair('operator')
  const signer = makePair('operator')
  const names = accountNames(archipelago)
  const identities = Object.fromEntries(names.map((name) => [name, makePair('account').publicKey]))
  const systemAccount = identities['SYS'] as Nkey<'account'>
  const signingKeys = [signer.publicKey]
  const operator = signOperator(identity, { name: 'test', signingKeys, systemAccount, nowSeconds })
  const keys = new Map<string, NkeyPair<'account'>>()
  const newKey = (name: string): Nkey<'account'> => {
    const pair = makePair('account')
    keys.set(name, pair)
    return pair.publicKey
  }
  const doorKeys = (door: FunctionDoor) => ({
    nkey: makePair('user').publicKey,
    signingKeys: Object.fromEntries(
      archipelago.roles
        .filter((role) => role.doors.includes(door))
        .map((role) => [role.name, [newKey(`${role.name}.${door}.ams3`)]]),
    ),
  })
  const declared = declareAccounts(archipelago, {
    accounts: identities,
    serviceUsers: { lobby: newKey('lobby') },
    regions: [
      {
        region: 'ams3',
        leafnode: [newKey('leafnode.ams3')],
        leafnodeUser: makePair('user').publicKey,
        doors: {
          lobby: doorKeys('lobby'),
          invite: doorKeys('invite'),
          identity: doorKeys('identity'),
          legacy: doorKeys('legacy'),
        },
      },
    ],
    revocations: { KUBECON: revocations },
  })
  const signed = declared.map(({ name, body }) => {
    const account = { name, publicKey: identities[name] as Nkey<'account'>, body }
    return signAccount(signer, account, { nowSeconds, previous: undefined })
  })
  const accounts = new Map(signed.map((account) => [account.claims.sub, account]))
  const denyList = (added: Partial<Denied> = {}): DenyList => {
    const subject = operator.claims.sub as Nkey<'operator'>
    return signDenyList(signer, { operator: subject, previous: undefined, added, nowSeconds })
  }
  return {
    archipelago,
    operator,
    signer,
    accounts,
    account: signed.find(({ claims }) => claims.name === 'KUBECON') as AccountJwt,
    keys,
    denyList,
    context: (door, changes = {}) => ({
      archipelago,
      operator,
      door,
      denyList: denyList(),
      accounts,
      nowMs,
      ...changes,
    }),
  }
}

/** The keys of one requestor. */
export const alice = { pair: makePair('user'), curve: generateCurveKeyPair() }

export function claimsOf({ operator }: Trust, changes: object = {}): ProofClaims {
  return {
    audience: operator.claims.sub,
    door: 'lobby',
    nkey: alice.pair.publicKey,
    curve: alice.curve.publicKey,
    role: 'member',
    name: 'alice',
    time: nowMs,
    nonce: 'nonce-of-a-request',
    ...changes,
  }
}

/** A request of alice's; changes of the claims are signed with the rest. */
export function makeRequest(
  trust: Trust,
  { claims = {}, fields = {}, purpose = 'access', pair = alice.pair }: RequestChanges = {},
): Uint8Array {
  const proof = encodeProof(claimsOf(trust, claims))
  return encode({ proof, signature: signProof(pair, proof, purpose), ...fields })
}

export interface RequestChanges {
  readonly claims?: object
  readonly fields?: object
  readonly purpose?: 'access' | 'renewal' | 'invite'
  readonly pair?: NkeyPair<'user'>
}

export function encode(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}

export const inviteKey = makePair('user')

/** A request with an invite: changes of the ticket are signed by the operator. */
export function makeInvited(
  trust: Trust,
  changes: RequestChanges & {
    ticket?: Partial<Parameters<typeof signTicket>[1]>
    signer?: NkeyPair<'operator'>
    inviteKey?: NkeyPair<'user'>
  } = {},
): { bytes: Uint8Array; ticketId: string } {
  const { claims = {}, fields = {}, pair = alice.pair } = changes
  const proof = encodeProof(claimsOf(trust, { door: 'invite', role: 'moderator', ...claims }))
  const ticket = signTicket(changes.signer ?? trust.signer, {
    key: inviteKey.publicKey,
    role: 'moderator',
    name: 'alice',
    nowSeconds,
    expiresAtSeconds: nowSeconds + 600,
    ...changes.ticket,
  })
  const bytes = encode({
    proof,
    signature: signProof(pair, proof, 'access'),
    ticket: ticket.text,
    ticketSignature: signProof(changes.inviteKey ?? inviteKey, proof, 'invite'),
    ...fields,
  })
  return { bytes, ticketId: ticket.claims.jti }
}

/** A credential of alice's, signed by the key of a ceiling. */
export function makeCredential(trust: Trust, scope: string, changes: Partial<User> = {}): string {
  const account = [...trust.accounts.values()].find(({ claims }) =>
    claims.nats.signing_keys.some(({ role }) => role === scope),
  ) as AccountJwt
  const signer = trust.keys.get(scope) as NkeyPair<'account'>
  return signUser(signer, {
    publicKey: alice.pair.publicKey,
    name: 'alice',
    account: account.claims.sub as Nkey<'account'>,
    issuedAtSeconds: nowSeconds - 600,
    expiresAtSeconds: nowSeconds + 600,
    ...changes,
  }).text
}
