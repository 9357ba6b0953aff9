// The two roots of a network: one signs authorities of identities, the other authorities of the server
// names that outside clients see. Their keys are needed when a region's authority is signed, and never else.
import { randomBytes } from 'node:crypto'
import type { Archipelago } from '../core/archipelago.ts'
import { Refusal } from '../core/errors.ts'
import type { AnyKind } from '../core/identity/authority.ts'
import type { Certificate } from '../core/identity/certificate.ts'
import type { Issuer } from '../core/identity/issue.ts'
import { rootSeconds } from '../core/identity/lifetime.ts'
import { parseTrustDomain } from '../core/identity/spiffe-id.ts'
import { formatAuthorityKey, makeAuthorityKey, readAuthorityKey } from './authority-keys.ts'
import { readRoots, rootKeyFile, rootsFile, writeCertificates } from './authority-files.ts'
import type { Files } from './files.ts'
import type { Homes } from './homes.ts'

export interface AuthorityStore {
  readonly files: Files
  readonly homes: Homes
  readonly archipelago: Archipelago
  readonly nowMs: number
}

/** Where the key of a root lies, and what opens it. */
export interface RootKey {
  /** Without it in the operator's home. */
  readonly file?: string | undefined
  readonly passphrase?: (() => Promise<string>) | undefined
}

/** In the operator's home, where no other place is named. */
export const keyFileOf = (
  { homes }: Pick<AuthorityStore, 'homes'>,
  kind: AnyKind,
  { file }: RootKey,
): string => file ?? rootKeyFile(homes, kind)

export interface EnsuredRoot {
  readonly certificate: Certificate
  readonly keyFile: string
  readonly isMade: boolean
}

/** Makes key and certificate, unless a root of that kind is published: then its key may be anywhere. */
export async function ensureRoot(
  store: AuthorityStore,
  kind: AnyKind,
  key: RootKey = {},
): Promise<EnsuredRoot> {
  const { files, homes } = store
  const keyFile = keyFileOf(store, kind, key)
  const [known] = readRoots(files, homes, kind)
  if (known !== undefined) return { certificate: known, keyFile, isMade: false }
  if (files.read(keyFile) !== undefined) throw new Refusal('ERR_FILE_EXISTS', `exists: ${keyFile}`)
  const pair = makeAuthorityKey()
  const certificate = await issueRootFor(store, kind, pair)
  const passphrase = await key.passphrase?.()
  // The key first: a root that is published without it could sign nothing.
  files.write(keyFile, await formatAuthorityKey(pair, { passphrase }))
  writeCertificates(files, rootsFile(homes.public, kind), [certificate])
  return { certificate, keyFile, isMade: true }
}

/** Of this network; publishes nothing. */
export async function issueRootFor(
  { archipelago, nowMs }: AuthorityStore,
  kind: AnyKind,
  pair: ReturnType<typeof makeAuthorityKey>,
): Promise<Certificate> {
  // Loading the signing library takes 80 ms: only where something has to be signed.
  const { issueRoot } = await import('../core/identity/issue.ts')
  const { network, trustDomain } = archipelago
  return issueRoot(pair, {
    commonName: `${network} ${kind} root`,
    organization: network,
    ...(kind === 'identity' && { trustDomain: parseTrustDomain(trustDomain) }),
    nowMs,
    lifetimeSeconds: rootSeconds,
    serial: randomBytes(16),
  })
}

/** Refuses where the key is not here, or is not that of a published root. */
export async function readRoot(
  { files, homes }: Pick<AuthorityStore, 'files' | 'homes'>,
  kind: AnyKind,
  key: RootKey = {},
): Promise<Issuer> {
  const path = keyFileOf({ homes }, kind, key)
  const roots = readRoots(files, homes, kind)
  if (roots.length === 0) throw new Refusal('ERR_STORE_UNREADABLE', `no ${kind} root is published`)
  const pair = await readAuthorityKey(files, path, key.passphrase)
  if (pair === undefined)
    throw new Refusal('ERR_KEY_NOT_HERE', `no key of the ${kind} root at ${path}`)
  const certificate = roots.find(({ openssl }) => openssl.publicKey.equals(pair.publicKey))
  if (certificate === undefined)
    throw new Refusal('ERR_KEY_OTHER', `not the key of the ${kind} root: ${path}`)
  return { certificate, key: pair.privateKey }
}
