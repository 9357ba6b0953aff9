// A root replaced in steps that can each be taken again. The next one is published beside the old one;
// it signs from then on when its key has taken the place of the old key, which is gone by that.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '../core/errors.ts'
import type { AuthorityKind } from '../core/identity/authority.ts'
import type { Certificate } from '../core/identity/certificate.ts'
import { readRoots, rootKeyFile, rootsFile, writeCertificates } from './authority-files.ts'
import { readAuthorities } from './authorities.ts'
import {
  formatPrivateKey,
  makeAuthorityKey,
  readAuthorityKey,
  readPlainKey,
} from './authority-keys.ts'
import { writePrivate } from './files.ts'
import { issueRootFor, type AuthorityStore } from './root.ts'
import type { RollStage } from './roll-intermediate.ts'
import { recordWithdrawn } from './withdrawn-authorities.ts'

const nextKeyFile = (store: AuthorityStore, kind: AuthorityKind) =>
  join(rootKeyFile(store.homes, kind), '..', 'next', 'root.key')

/** Refuses where the key of the root that signs is not here, or under a passphrase. */
export async function rootStage(store: AuthorityStore, kind: AuthorityKind): Promise<RollStage> {
  const path = rootKeyFile(store.homes, kind)
  const pair = await readAuthorityKey(store.files, path)
  if (pair === undefined)
    throw new Refusal('ERR_KEY_NOT_HERE', `no key of the ${kind} root at ${path}`)
  const [newest, ...others] = readRoots(store.files, store.homes, kind)
  if (others.length === 0) return 'steady'
  return newest?.openssl.publicKey.equals(pair.publicKey) === true ? 'adopted' : 'published'
}

/** Made and trusted, and signs nothing yet. */
export async function publishNextRoot(store: AuthorityStore, kind: AuthorityKind): Promise<void> {
  const { files, homes } = store
  const path = nextKeyFile(store, kind)
  const pair = readPlainKey(files, path) ?? makeAuthorityKey()
  // The key first: a root that is published without it could sign nothing.
  files.write(path, formatPrivateKey(pair.privateKey))
  const certificate = await issueRootFor(store, kind, pair)
  const known = readRoots(files, homes, kind)
  writeCertificates(files, rootsFile(homes.public, kind), [certificate, ...known])
}

/** From now on it signs. */
export function adoptNextRoot(store: AuthorityStore, kind: AuthorityKind): void {
  const path = nextKeyFile(store, kind)
  const [newest] = readRoots(store.files, store.homes, kind)
  const pair = readPlainKey(store.files, path)
  if (newest === undefined || !pair?.publicKey.equals(newest.openssl.publicKey))
    throw new Refusal('ERR_KEY_NOT_HERE', `no key of the next ${kind} root at ${path}`)
  writePrivate(rootKeyFile(store.homes, kind), formatPrivateKey(pair.privateKey))
  rmSync(join(path, '..'), { recursive: true, force: true })
}

/** Whether the newest root signed it. */
export function isUnderNewestRoot(
  { files, homes }: AuthorityStore,
  kind: AuthorityKind,
  { openssl }: Certificate,
): boolean {
  const [newest] = readRoots(files, homes, kind)
  return newest !== undefined && openssl.verify(newest.openssl.publicKey)
}

/** Refuses while a region's authority is of another one; hands back how many went. */
export function withdrawOldRoots(store: AuthorityStore, kind: AuthorityKind): number {
  const { files, homes, archipelago } = store
  for (const { name: region } of archipelago.regions)
    for (const certificate of readAuthorities(store, { kind, region }))
      if (!isUnderNewestRoot(store, kind, certificate))
        throw new Refusal('ERR_AUTHORITY_OTHER', `${region}'s ${kind} authority is of the old root`)
  const [newest, ...others] = readRoots(files, homes, kind)
  const kept = newest === undefined ? [] : [newest]
  for (const { name: region } of archipelago.regions)
    recordWithdrawn(files, { homes, region, kept }, others)
  if (newest !== undefined) writeCertificates(files, rootsFile(homes.public, kind), [newest])
  return others.length
}
