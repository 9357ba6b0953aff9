// The declarative state on the operator's disk: read anew each time, changed under a lock, account JWTs
// before the deny list, and all of it before anything is pushed.
import { signAccount, type AccountJwt } from '../core/trust/account.ts'
import type { DeclaredState, DeclaredTrust, Revoked } from '../core/trust/declared-state.ts'
import { deniedKinds, signDenyList, type Denied, type DenyList } from '../core/trust/deny-list.ts'
import type { Nkey, NkeyPair } from '../core/trust/nkey.ts'
import { parseOperator, type OperatorJwt } from '../core/trust/operator.ts'
import {
  addRevocations,
  keepRevocations,
  recordRevocations,
  type RevocationRecord,
  type Revocations,
} from '../core/trust/revoke.ts'
import { readPublishedAccounts } from './applied.ts'
import { readOrRefuse } from './files.ts'
import type { Homes } from './homes.ts'
import { openIssuedTo } from './issued-to.ts'
import { openNscStore, type NscStore } from './nsc.ts'
import { operatorSigner, readAccounts, writeTrust, type TrustPlace } from './operator.ts'
import { publicFiles, readDenyList } from './public.ts'
import { readRevocationRecords, writeRevocationRecords } from './revocations.ts'
import { withTrustLock } from './trust-lock.ts'

/** Refuses its changes where the operator's signing keys are not at home. */
export function openDeclaredState(place: TrustPlace, nowSeconds: () => number): DeclaredState {
  const { files, homes } = place
  const read = (): DeclaredTrust => {
    const operator = readOperator(homes)
    const accounts = readPublishedAccounts(files, homes)
    return { operator, accounts, denyList: readDenyList(homes.public, operator) }
  }
  const change = (act: (writing: Writing) => void): DeclaredTrust =>
    withTrustLock(homes, () => {
      act(openWriting(place, nowSeconds()))
      return read()
    })
  return {
    read,
    revoke: (revoked) => change((writing) => revoke(writing, revoked)),
    reinstate: (identities) =>
      change((writing) => deny(writing, { added: {}, lifted: { identities } })),
    issuedTo: openIssuedTo(place, nowSeconds),
    outdate: (account, iatSeconds) =>
      change((writing) => outdate(writing, { account, iatSeconds })),
  }
}

interface Writing extends TrustPlace {
  readonly store: NscStore
  readonly operator: OperatorJwt
  readonly signer: NkeyPair<'operator'>
  readonly accounts: readonly AccountJwt[]
  readonly nowSeconds: number
}

function openWriting(place: TrustPlace, nowSeconds: number): Writing {
  const { files, homes, archipelago } = place
  const store = openNscStore(files, homes, archipelago.network)
  const operator = readOperator(homes)
  const signer = operatorSigner(store, operator)
  const declared = readAccounts(place)
  const names = new Set(declared.map(({ claims }) => claims.name))
  // Accounts that archipelago.yaml names no more are closed, and can be replayed like any other.
  const retired = readPublishedAccounts(files, homes).filter(
    ({ claims }) => !names.has(claims.name),
  )
  return { ...place, store, operator, signer, accounts: [...declared, ...retired], nowSeconds }
}

function readOperator(homes: Homes): OperatorJwt {
  return parseOperator(readOrRefuse(publicFiles.operator(homes.public), 'operator JWT'))
}

/** By the way, keys leave these accounts' JWTs of which no credential can be alive. */
function revoke(writing: Writing, revoked: Revoked): void {
  const { files, homes, nowSeconds } = writing
  const known = readRevocationRecords(files, homes)
  const fresh = recordFresh(writing, revoked)
  const records = [...known.filter((each) => !fresh.some((one) => isSameKey(one, each))), ...fresh]
  const touched = writing.accounts.filter(({ claims }) => isNamed(claims.name, revoked))
  const accounts = touched.map((account): [AccountJwt, Revocations] => {
    const { name = '', nats } = account.claims
    const before = { name, revocations: nats.revocations }
    const kept = { name, revocations: keepRevocations(before, records, nowSeconds) }
    const added = fresh.filter((each) => each.account === name).map(({ nkey }) => nkey)
    return [account, addRevocations(kept, added)]
  })
  if (fresh.length > 0) writeRevocationRecords(files, homes, records)
  signAccounts(writing, new Map(accounts))
  const { nkeys, names, tickets, identities = [] } = revoked
  deny(writing, { added: { nkeys, names, tickets, identities }, lifted: {} })
}

function recordFresh(
  { archipelago, accounts, nowSeconds }: Writing,
  revoked: Revoked,
): RevocationRecord[] {
  return accounts
    .filter(({ claims }) => isNamed(claims.name, revoked))
    .flatMap((account) => {
      const nkeys = revoked.nkeys.filter((nkey) => !(nkey in account.claims.nats.revocations))
      return recordRevocations(archipelago, account, { nkeys, nowSeconds })
    })
}

const isNamed = (name: string | undefined, { accounts }: Revoked) =>
  name !== undefined && accounts.includes(name)

function isSameKey(one: RevocationRecord, other: RevocationRecord): boolean {
  return one.account === other.account && one.nkey === other.nkey
}

function signAccounts(
  { store, homes, operator, signer, nowSeconds }: Writing,
  accounts: ReadonlyMap<AccountJwt, Revocations>,
): void {
  const signed = [...accounts].map(([account, revocations]) => {
    const { name, sub, nats } = account.claims
    const body = { ...nats, revocations }
    const declared = { name: name as string, publicKey: sub as Nkey<'account'>, body }
    return signAccount(signer, declared, { nowSeconds, previous: account })
  })
  writeTrust({ store, homes, operator, accounts: signed })
}

/** A new list only where something is new: its sequence says how often somebody was denied. */
function deny(
  { files, homes, operator, signer, nowSeconds }: Writing,
  change: { added: Partial<Denied>; lifted: Partial<Denied> },
): void {
  const previous: DenyList = readDenyList(homes.public, operator)
  const isKnown = deniedKinds.every((kind) => {
    const isDenied = (each: string) => previous.claims.nats[kind].includes(each)
    return (
      change.added[kind]?.every(isDenied) !== false && change.lifted[kind]?.some(isDenied) !== true
    )
  })
  if (isKnown) return
  const subject = operator.claims.sub as Nkey<'operator'>
  const list = signDenyList(signer, { operator: subject, previous, ...change, nowSeconds })
  files.write(publicFiles.denyList(homes.public), list.text)
}

/** Only `iat` changes, and with it the digest. */
function outdate(
  { store, homes, operator, signer, accounts, nowSeconds }: Writing,
  { account: name, iatSeconds }: { account: string; iatSeconds: number },
): void {
  const signed = accounts.map((account) => {
    if (account.claims.name !== name || account.claims.iat > iatSeconds) return account
    const { sub, nats } = account.claims
    const declared = { name, publicKey: sub as Nkey<'account'>, body: nats }
    const after = Math.max(nowSeconds, iatSeconds + 1)
    return signAccount(signer, declared, { nowSeconds: after, previous: undefined })
  })
  writeTrust({ store, homes, operator, accounts: signed })
}
