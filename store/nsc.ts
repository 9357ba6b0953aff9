// The operator's store, in the layout that nsc and `nats auth` read: JWTs by name, keys by public key.
import { join } from 'node:path'
import type { Nkey, NkeyPair, NkeyRole } from '../core/trust/nkey.ts'
import type { Files } from './files.ts'
import type { Homes } from './homes.ts'
import { makeNkeyPair, readKey, requireKey, writeKey } from './key-file.ts'

export interface NscStore {
  readonly files: Files
  readonly stores: string
  readonly keys: string
  readonly operator: string
}

export function openNscStore(files: Files, homes: Homes, operator: string): NscStore {
  const root = join(homes.operator, 'nats', 'nsc')
  return { files, stores: join(root, 'stores'), keys: join(root, 'keys'), operator }
}

export function readOperatorText(store: NscStore): string | undefined {
  return store.files.read(operatorFile(store))
}

/** Whether the file changed. */
export function writeOperatorText(store: NscStore, jwt: string): boolean {
  const { files, stores, operator } = store
  const marker = { managed: false, name: operator, kind: 'operator', version: '1' }
  files.write(join(stores, operator, '.nsc'), JSON.stringify(marker))
  return store.files.write(operatorFile(store), jwt)
}

export function readAccountText(store: NscStore, account: string): string | undefined {
  return store.files.read(accountFile(store, account))
}

export function writeAccountText(store: NscStore, account: string, jwt: string): boolean {
  return store.files.write(accountFile(store, account), jwt)
}

export function userFile({ stores, operator }: NscStore, account: string, user: string): string {
  return join(stores, operator, 'accounts', account, 'users', `${user}.jwt`)
}

export function credsFile({ keys, operator }: NscStore, account: string, user: string): string {
  return join(keys, 'creds', operator, account, `${user}.creds`)
}

export function keyFile({ keys }: NscStore, key: Nkey): string {
  return join(keys, 'keys', key.slice(0, 1), key.slice(1, 3), `${key}.nk`)
}

/** A new key, kept in the store. */
export function makeKey<R extends NkeyRole>(store: NscStore, role: R): NkeyPair<R> {
  const pair = makeNkeyPair(role)
  writeKey(store.files, keyFile(store, pair.publicKey), pair)
  return pair
}

export function findKey<R extends NkeyRole>(
  store: NscStore,
  role: R,
  key: Nkey<R>,
): NkeyPair<R> | undefined {
  return readKey(store.files, role, keyFile(store, key))
}

export function useKey<R extends NkeyRole>(store: NscStore, role: R, key: Nkey<R>): NkeyPair<R> {
  return requireKey(store.files, role, keyFile(store, key))
}

function operatorFile({ stores, operator }: NscStore): string {
  return join(stores, operator, `${operator}.jwt`)
}

function accountFile({ stores, operator }: NscStore, account: string): string {
  return join(stores, operator, 'accounts', account, `${account}.jwt`)
}
