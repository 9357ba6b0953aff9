// A root replaced in steps that can each be taken again. The next one is published beside the old one;
// it signs from then on when its key has taken the place of the old key, which is gone by that. What step
// comes next stands in the operator's home, so that nobody needs a key to know.
import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Refusal } from '../core/errors.ts'
import type { AnyKind } from '../core/identity/authority.ts'
import { formatCertificates, type Certificate } from '../core/identity/certificate.ts'
import type { Issuer } from '../core/identity/issue.ts'
import {
  readCertificates,
  readRoots,
  rootKeyFile,
  rootsFile,
  writeCertificates,
} from './authority-files.ts'
import { readAuthorities } from './authorities.ts'
import {
  formatAuthorityKey,
  isEncrypted,
  makeAuthorityKey,
  readAuthorityKey,
  type KeyPair,
} from './authority-keys.ts'
import { writeNewPrivate, writePrivate } from './files.ts'
import { issueRootFor, keyFileOf, type AuthorityStore, type RootKey } from './root.ts'
import type { RollStage } from './roll-intermediate.ts'
import { withTrustLock } from './trust-lock.ts'
import { recordWithdrawn } from './withdrawn-authorities.ts'

export interface NextRootKey extends RootKey {
  /** Encrypted also where the old one is plain. */
  readonly isSealed?: boolean | undefined
  /** Each try of its passphrase takes 2^logN steps; tests take fewer. */
  readonly logN?: number
}

/** `next`: made, and published or about to be. `adopted`: its key signs, and the old root may be trusted yet. */
const noteFile = (store: AuthorityStore, kind: AnyKind, stage: 'next' | 'adopted') =>
  join(dirname(rootKeyFile(store.homes, kind)), `${stage}.crt`)

const readNote = (...of: Parameters<typeof noteFile>) =>
  readCertificates(of[0].files, noteFile(...of))[0]

/** Beside the old one's, wherever that is. */
const nextKeyFile = (path: string) => path.replace(/(\.key)?$/, '.next.key')

export function rootStage(store: AuthorityStore, kind: AnyKind): RollStage {
  if (readNote(store, kind, 'adopted') !== undefined) return 'adopted'
  const [newest, ...others] = readRoots(store.files, store.homes, kind)
  const next = readNote(store, kind, 'next')
  if (next !== undefined) return newest?.der.equals(next.der) === true ? 'published' : 'steady'
  return others.length === 0 ? 'steady' : 'adopted'
}

/**
 * Made and trusted, and signs nothing yet. Its key lies as the old one's does: where that is encrypted, under
 * the passphrase that opens it. Refuses where the old one is not here, and no other place is named.
 */
export async function publishNextRoot(
  store: AuthorityStore,
  kind: AnyKind,
  key: NextRootKey = {},
): Promise<void> {
  const { files, homes } = store
  const next = readNote(store, kind, 'next') ?? (await makeNextRoot(store, kind, key))
  withTrustLock(homes, () => {
    const known = readRoots(files, homes, kind).filter(({ der }) => !der.equals(next.der))
    writeCertificates(files, rootsFile(homes.public, kind), [next, ...known])
  })
}

async function makeNextRoot(
  store: AuthorityStore,
  kind: AnyKind,
  key: NextRootKey,
): Promise<Certificate> {
  const path = nextKeyFile(keyFileOf(store, kind, key))
  const passphrase = await passphraseLikeBefore(store, kind, key)
  const made = await readAuthorityKey(store.files, path, key.passphrase)
  const pair = made ?? makeAuthorityKey()
  // The key first: a root that is published without it could sign nothing.
  const { logN } = key
  const secret = { passphrase, ...(logN !== undefined && { logN }) }
  if (made === undefined) writeNewPrivate(path, await formatAuthorityKey(pair, secret))
  const certificate = await issueRootFor(store, kind, pair)
  writeNewPrivate(noteFile(store, kind, 'next'), formatCertificates([certificate]))
  return certificate
}

async function passphraseLikeBefore(
  store: AuthorityStore,
  kind: AnyKind,
  key: NextRootKey,
): Promise<string | undefined> {
  const paths = [keyFileOf(store, kind, key), rootKeyFile(store.homes, kind)]
  const before = paths.find((path) => store.files.read(path) !== undefined)
  if (before === undefined && key.file === undefined) throw noKey(kind, paths[0])
  const text = before && store.files.read(before)
  const isSealed = key.isSealed === true || (text !== undefined && isEncrypted(text))
  // A mistyped one would be found out when only the next root is left.
  if (before !== undefined) await readAuthorityKey(store.files, before, key.passphrase)
  return isSealed ? key.passphrase?.() : undefined
}

/** From now on it signs: hands it back. Refuses where its key is not here, or does not open. */
export async function adoptNextRoot(
  store: AuthorityStore,
  kind: AnyKind,
  key: RootKey = {},
): Promise<Issuer> {
  const { files, homes } = store
  const path = keyFileOf(store, kind, key)
  const waiting = nextKeyFile(path)
  const text = files.read(waiting)
  const pair = await readAuthorityKey(files, text === undefined ? path : waiting, key.passphrase)
  const issuer = requireNewest(store, kind, { pair, path: waiting })
  if (text !== undefined) writePrivate(path, text)
  rmSync(waiting, { force: true })
  // It went to another place, and what is left here is the old one.
  if (path !== rootKeyFile(homes, kind)) rmSync(rootKeyFile(homes, kind), { force: true })
  writeCertificates(files, noteFile(store, kind, 'adopted'), [issuer.certificate])
  rmSync(noteFile(store, kind, 'next'), { force: true })
  return issuer
}

/** Refuses where the key here is not that of the newest root. */
export async function readNewestRoot(
  store: AuthorityStore,
  kind: AnyKind,
  key: RootKey = {},
): Promise<Issuer> {
  const path = keyFileOf(store, kind, key)
  const pair = await readAuthorityKey(store.files, path, key.passphrase)
  return requireNewest(store, kind, { pair, path })
}

function requireNewest(
  { files, homes }: AuthorityStore,
  kind: AnyKind,
  { pair, path }: { readonly pair: KeyPair | undefined; readonly path: string },
): Issuer {
  const [newest] = readRoots(files, homes, kind)
  if (newest === undefined || !pair?.publicKey.equals(newest.openssl.publicKey))
    throw noKey(kind, path)
  return { certificate: newest, key: pair.privateKey }
}

const noKey = (kind: AnyKind, path = '') =>
  new Refusal('ERR_KEY_NOT_HERE', `no key of the newest ${kind} root at ${path}`)

/** Whether the newest root signed it. */
export function isUnderNewestRoot(
  { files, homes }: AuthorityStore,
  kind: AnyKind,
  { openssl }: Certificate,
): boolean {
  const [newest] = readRoots(files, homes, kind)
  return newest !== undefined && openssl.verify(newest.openssl.publicKey)
}

/** Regions that are vouched for by an authority of another root. */
export function regionsUnderOldRoots(store: AuthorityStore, kind: AnyKind): string[] {
  return store.archipelago.regions
    .map(({ name }) => name)
    .filter((region) =>
      readAuthorities(store, { kind, region }).some(
        (each) => !isUnderNewestRoot(store, kind, each),
      ),
    )
}

/** Refuses while a region's authority is of another one; hands back how many went. */
export function withdrawOldRoots(store: AuthorityStore, kind: AnyKind): number {
  const { files, homes, archipelago } = store
  const [region] = regionsUnderOldRoots(store, kind)
  if (region !== undefined)
    throw new Refusal('ERR_AUTHORITY_OTHER', `${region}'s ${kind} authority is of the old root`)
  const [newest, ...others] = readRoots(files, homes, kind)
  const kept = newest === undefined ? [] : [newest]
  for (const { name } of archipelago.regions)
    recordWithdrawn(files, { homes, region: name, kept }, others)
  if (newest !== undefined) writeCertificates(files, rootsFile(homes.public, kind), [newest])
  return others.length
}

/** When everybody has confirmed that the old root is gone. */
export function endRootRoll(store: AuthorityStore, kind: AnyKind): void {
  rmSync(noteFile(store, kind, 'adopted'), { force: true })
}
