// Who gets no credential again: one document, signed by the operator, with a rising sequence.
import { hash } from 'node:crypto'
import { Refusal } from '../errors.ts'
import { decodeJwt, encodeJwt, type Jwt, type JwtBody } from './jwt.ts'
import type { Nkey, NkeyPair } from './nkey.ts'
import { isSignedByOperator, type OperatorJwt } from './operator.ts'

const type = 'archipelago-deny-list'

export interface Denied {
  readonly nkeys: readonly string[]
  readonly names: readonly string[]
  /** Ids (`jti`) of invites' tickets. */
  readonly tickets: readonly string[]
  /** SPIFFE IDs that were withdrawn. */
  readonly identities: readonly string[]
}
export interface DenyListBody extends JwtBody, Denied {
  readonly sequence: number
}
export type DenyList = Jwt<DenyListBody>
export const deniedKinds = ['nkeys', 'names', 'tickets', 'identities'] as const

/** The next document: everything that was denied before but what is lifted, and the added. */
export function signDenyList(
  signer: NkeyPair<'operator'>,
  {
    operator,
    previous,
    added,
    lifted = {},
    nowSeconds,
  }: {
    operator: Nkey<'operator'>
    previous: DenyList | undefined
    added: Partial<Denied>
    lifted?: Partial<Denied>
    nowSeconds: number
  },
): DenyList {
  const before = previous?.claims.nats
  const union = (kind: keyof Denied): string[] => {
    const kept = (before?.[kind] ?? []).filter((each) => lifted[kind]?.includes(each) !== true)
    return [...new Set([...kept, ...(added[kind] ?? [])])].toSorted()
  }
  const nats: DenyListBody = {
    nkeys: union('nkeys'),
    names: union('names'),
    tickets: union('tickets'),
    identities: union('identities'),
    sequence: (before?.sequence ?? 0) + 1,
    type,
    version: 1,
  }
  return encodeJwt({ iat: nowSeconds, sub: operator, name: 'deny-list', nats }, signer)
}

/** Refuses a list that is not of this operator. */
export function parseDenyList(text: string, operator: OperatorJwt): DenyList {
  const list = withIdentities(decodeJwt<DenyListBody>(type, text))
  const { iss, sub, nats } = list.claims
  if (!isSignedByOperator(list, operator) || sub !== operator.claims.sub)
    throw new Refusal('ERR_DENY_LIST_ILLEGAL', `deny list: signed by a foreign operator: ${iss}`)
  const isWhole = deniedKinds.every((kind) => Array.isArray(nats[kind]))
  if (!isWhole || !Number.isSafeInteger(nats.sequence))
    throw new Refusal('ERR_DENY_LIST_ILLEGAL', `deny list ${list.claims.jti}: not whole`)
  return list
}

/** Lists from before identities could be withdrawn name none. */
function withIdentities(list: DenyList): DenyList {
  const { claims } = list
  const body: Partial<Denied> = claims.nats
  const identities = body.identities ?? []
  return { ...list, claims: { ...claims, nats: { ...claims.nats, identities } } }
}

/** The newer of two lists; refuses a candidate that is older, or another one of the same sequence. */
export function succeedDenyList(held: DenyList, candidate: DenyList): DenyList {
  const [old, next] = [held.claims.nats.sequence, candidate.claims.nats.sequence]
  if (next > old || candidate.text === held.text) return candidate
  throw new Refusal('ERR_DENY_LIST_OLDER', `deny list: sequence ${next} is not above ${old}`)
}

/** Sequence and SHA-256, by which one sees that two functions hold the same list. */
export function denyListState(list: DenyList): { sequence: number; digest: string } {
  return { sequence: list.claims.nats.sequence, digest: hash('sha256', list.text) }
}
