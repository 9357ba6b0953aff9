// The operator's identity key: it signs the operator's JWT and nothing else, so it can lie elsewhere.
import { join } from 'node:path'
import { Refusal } from '../core/errors.ts'
import type { Nkey, NkeyPair } from '../core/trust/nkey.ts'
import { removeDurably, writeDurably } from './durable.ts'
import { openFiles } from './files.ts'
import { readKey } from './key-file.ts'
import { findKey, keyFile } from './nsc.ts'
import type { OperatorHome } from './operator.ts'

type Operator = Pick<OperatorHome, 'store' | 'operator'>

export interface MovedKey {
  readonly key: Nkey<'operator'>
  readonly path: string
  /** False where it lay there already. */
  readonly isMoved: boolean
}

/** Out of the operator's home into a folder; refuses where another key or file has its name. */
export function moveIdentityKey(operator: Operator, folder: string): MovedKey {
  const key = identityKey(operator)
  const path = join(folder, `${key}.nk`)
  return { key, path, isMoved: move(key, { from: keyFile(operator.store, key), to: path }) }
}

/** From that folder back to the operator's home. */
export function returnIdentityKey(operator: Operator, folder: string): MovedKey {
  const key = identityKey(operator)
  const path = keyFile(operator.store, key)
  return { key, path, isMoved: move(key, { from: join(folder, `${key}.nk`), to: path }) }
}

/** What signs a new operator JWT; refuses where it was moved away. */
export function requireIdentityKey(operator: Operator): NkeyPair<'operator'> {
  const key = identityKey(operator)
  const pair = findKey(operator.store, 'operator', key)
  if (pair === undefined)
    throw new Refusal('ERR_IDENTITY_KEY_AWAY', `operator's identity key is not here: ${key}`)
  return pair
}

function identityKey({ operator }: Operator): Nkey<'operator'> {
  return operator.claims.sub as Nkey<'operator'>
}

/** Copied, read back, and only then deleted: after a crash at any point it can be run again. */
function move(key: Nkey<'operator'>, { from, to }: { from: string; to: string }): boolean {
  const [source, target] = [readIdentity(key, from), readIdentity(key, to)]
  if (source === undefined && target === undefined)
    throw new Refusal('ERR_KEY_NOT_HERE', `no identity key of operator ${key} at ${from}`)
  if (source === undefined) return false
  if (target === undefined) writeDurably(to, `${source.seed}\n`)
  if (readIdentity(key, to) === undefined)
    throw new Refusal('ERR_STORE_UNWRITABLE', `what was written cannot be read back: ${to}`)
  removeDurably(from)
  return true
}

function readIdentity(key: Nkey<'operator'>, path: string): NkeyPair<'operator'> | undefined {
  const pair = readKey(openFiles(), 'operator', path)
  if (pair === undefined || pair.publicKey === key) return pair
  throw new Refusal('ERR_KEY_OTHER', `another operator's key lies at ${path}: ${pair.publicKey}`)
}
