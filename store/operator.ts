// The operator's home: makes what is missing, adopts the public keys of the regions, and signs the
// accounts that archipelago.yaml declares. Run again, it changes nothing.
import type { Archipelago } from '../core/archipelago.ts'
import { Refusal } from '../core/errors.ts'
import { parseAccount, signAccount, type AccountJwt } from '../core/trust/account.ts'
import {
  accountNames,
  declareAccounts,
  serviceUserNames,
  serviceUsers,
  type ServiceUser,
} from '../core/trust/declare.ts'
import { parseConfiguration, signConfiguration } from '../core/trust/configuration.ts'
import { parseDenyList, signDenyList, type DenyList } from '../core/trust/deny-list.ts'
import type { Nkey, NkeyPair } from '../core/trust/nkey.ts'
import { parseOperator, signOperator, type OperatorJwt } from '../core/trust/operator.ts'
import { formatRegionKeys, type RegionKeys } from '../core/trust/region-keys.ts'
import { keepRevocations, type RevocationRecord, type Revocations } from '../core/trust/revoke.ts'
import type { Files } from './files.ts'
import type { Homes } from './homes.ts'
import {
  findKey,
  makeKey,
  openNscStore,
  readAccountText,
  readOperatorText,
  writeAccountText,
  writeOperatorText,
  type NscStore,
} from './nsc.ts'
import { publicFiles, readDenyList } from './public.ts'
import { retireAccounts } from './retired.ts'
import { readRevocationRecords } from './revocations.ts'

const operatorSigningKeys = 2
type PreviousAccounts = ReadonlyMap<string | undefined, AccountJwt>

export interface OperatorHome {
  readonly store: NscStore
  readonly operator: OperatorJwt
  /** Those that archipelago.yaml declares, then the closed ones that it declares no more. */
  readonly accounts: readonly AccountJwt[]
  readonly denyList: DenyList
}
export interface TrustPlace {
  readonly files: Files
  readonly homes: Homes
  readonly archipelago: Archipelago
}
export interface BootstrapOptions extends TrustPlace {
  readonly nowSeconds: number
}

export function bootstrapOperator(
  { files, homes, archipelago, nowSeconds }: BootstrapOptions,
  regions: readonly RegionKeys[],
): OperatorHome {
  const store = openNscStore(files, homes, archipelago.network)
  const previous = new Map(
    readAccounts({ files, homes, archipelago }).map((account) => [account.claims.name, account]),
  )
  const identities = accountIdentities(store, archipelago, previous)
  const operator = readOrMakeOperator(store, identities, nowSeconds)
  const bodies = declareAccounts(archipelago, {
    accounts: identities,
    serviceUsers: serviceKeys(store, archipelago, previous),
    regions,
    revocations: revocationsOf(previous, readRevocationRecords(files, homes), nowSeconds),
  })
  const signer = operatorSigner(store, operator)
  const declared = bodies.map(({ name, body }) => {
    const account = { name, publicKey: identities[name] as Nkey<'account'>, body }
    return signAccount(signer, account, { nowSeconds, previous: previous.get(name) })
  })
  const retired = retireAccounts(store, archipelago, { operator, signer, nowSeconds })
  const accounts = [...declared, ...retired]
  const denyList = readOrMakeDenyList({ files, homes, operator, signer, nowSeconds })
  writeTrust({ store, homes, operator, accounts })
  writeConfiguration({ files, homes, operator, signer, nowSeconds }, archipelago)
  for (const keys of regions)
    files.write(publicFiles.region(homes.public, keys.region), formatRegionKeys(keys))
  return { store, operator, accounts, denyList }
}

/** The operator's home as it is; refuses where it is not here or not whole. */
export function readOperatorHome(place: TrustPlace): OperatorHome {
  const { files, homes, archipelago } = place
  const store = openNscStore(files, homes, archipelago.network)
  const text = readOperatorText(store)
  if (text === undefined)
    throw new Refusal('ERR_STORE_UNREADABLE', `no operator ${store.operator} in ${store.stores}`)
  const operator = parseOperator(text)
  return {
    store,
    operator,
    accounts: readAccounts(place),
    denyList: readDenyList(homes.public, operator),
  }
}

/** The declarative state first, in the operator's store and in the folder that git carries. */
export function writeTrust(trust: {
  readonly store: NscStore
  readonly homes: Homes
  readonly operator: OperatorJwt
  readonly accounts: readonly AccountJwt[]
}): void {
  const { store, homes, operator, accounts } = trust
  writeOperatorText(store, operator.text)
  store.files.write(publicFiles.operator(homes.public), operator.text)
  for (const { text, claims } of accounts) {
    const name = claims.name as string
    writeAccountText(store, name, text)
    store.files.write(publicFiles.account(homes.public, name), text)
  }
}

/** The first of the operator's signing keys that is at home here. */
export function operatorSigner(store: NscStore, operator: OperatorJwt): NkeyPair<'operator'> {
  const { sub, nats } = operator.claims
  for (const key of nats.signing_keys) {
    const pair = findKey(store, 'operator', key)
    if (pair !== undefined) return pair
  }
  throw new Refusal('ERR_KEY_NOT_HERE', `no signing key of operator ${sub} in ${store.keys}`)
}

/** The accounts as they were last signed: git may be ahead of a store that was restored. */
export function readAccounts({ files, homes, archipelago }: TrustPlace): AccountJwt[] {
  const store = openNscStore(files, homes, archipelago.network)
  const operatorText = readOperatorText(store)
  if (operatorText === undefined) return []
  const operator = parseOperator(operatorText)
  return accountNames(archipelago).flatMap((name) => {
    const published = files.read(publicFiles.account(homes.public, name))
    return [readAccountText(store, name), published]
      .flatMap((text) => (text === undefined ? [] : parseAccount(text, operator)))
      .toSorted((a, b) => b.claims.iat - a.claims.iat)
      .slice(0, 1)
  })
}

function accountIdentities(
  store: NscStore,
  archipelago: Archipelago,
  previous: PreviousAccounts,
): Record<string, Nkey<'account'>> {
  const operator = readOperatorText(store)
  // The operator's JWT names it for good: servers cannot reload that one.
  const system = operator && parseOperator(operator).claims.nats.system_account
  return Object.fromEntries(
    accountNames(archipelago).map((name) => {
      const known = previous.get(name)?.claims.sub ?? (name === 'SYS' ? system : undefined)
      return [name, (known as Nkey<'account'>) ?? makeKey(store, 'account').publicKey]
    }),
  )
}

function readOrMakeOperator(
  store: NscStore,
  identities: Record<string, Nkey<'account'>>,
  nowSeconds: number,
): OperatorJwt {
  const text = readOperatorText(store)
  if (text !== undefined) return parseOperator(text)
  const identity = makeKey(store, 'operator')
  const signingKeys = Array.from(
    { length: operatorSigningKeys },
    () => makeKey(store, 'operator').publicKey,
  )
  const systemAccount = identities['SYS'] as Nkey<'account'>
  const declared = { name: store.operator, signingKeys, systemAccount, nowSeconds }
  const operator = signOperator(identity, declared)
  // Before all that it signs: who looks meanwhile sees an operator who is not done yet.
  writeOperatorText(store, operator.text)
  return operator
}

function serviceKeys(
  store: NscStore,
  archipelago: Archipelago,
  previous: PreviousAccounts,
): Record<ServiceUser, Nkey<'account'>> {
  const keys = serviceUserNames(archipelago).map((user) => {
    const scopes = previous.get(serviceUsers[user].account)?.claims.nats.signing_keys ?? []
    const known = scopes.find(({ role }) => role === user)?.key
    return [user, known ?? makeKey(store, 'account').publicKey]
  })
  return Object.fromEntries(keys) as Record<ServiceUser, Nkey<'account'>>
}

function revocationsOf(
  previous: PreviousAccounts,
  records: readonly RevocationRecord[],
  nowSeconds: number,
): Record<string, Revocations> {
  return Object.fromEntries(
    [...previous.values()].map(({ claims }) => {
      const account = { name: claims.name as string, revocations: claims.nats.revocations }
      return [account.name, keepRevocations(account, records, nowSeconds)]
    }),
  )
}

interface Signing {
  readonly files: Files
  readonly homes: Homes
  readonly operator: OperatorJwt
  readonly signer: NkeyPair<'operator'>
  readonly nowSeconds: number
}

/** What functions go by from now on. */
function writeConfiguration(from: Signing, archipelago: Archipelago): void {
  const { files, homes, operator, signer, nowSeconds } = from
  const path = publicFiles.configuration(homes.public)
  const text = files.read(path)
  const previous = text === undefined ? undefined : parseConfiguration(text, operator)
  const subject = operator.claims.sub as Nkey<'operator'>
  const applied = { operator: subject, archipelago, nowSeconds, previous }
  files.write(path, signConfiguration(signer, applied).text)
}

function readOrMakeDenyList(from: Signing): DenyList {
  const { files, homes, operator, signer, nowSeconds } = from
  const path = publicFiles.denyList(homes.public)
  const text = files.read(path)
  if (text !== undefined) return parseDenyList(text, operator)
  const subject = operator.claims.sub as Nkey<'operator'>
  const list = signDenyList(signer, {
    operator: subject,
    previous: undefined,
    added: {},
    nowSeconds,
  })
  files.write(path, list.text)
  return list
}
