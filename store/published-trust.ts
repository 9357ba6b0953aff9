// What is published of the trust, all of it at once: what git carries to the clusters.
import { allKinds, authorityKinds, type AnyKind } from '../core/identity/authority.ts'
import { formatCertificates } from '../core/identity/certificate.ts'
import type { AccountJwt } from '../core/trust/account.ts'
import { parseOperator, type OperatorJwt } from '../core/trust/operator.ts'
import { readPublishedAccounts } from './applied.ts'
import { readAuthorities } from './authorities.ts'
import { bundleMapFile, rootsFile } from './authority-files.ts'
import { publicFiles } from './public.ts'
import type { AuthorityStore } from './root.ts'

/** Empty where there is none. */
export type AuthorityPems = Readonly<Record<AnyKind, string>>

export interface PublishedTrust {
  readonly operator: OperatorJwt
  /** Also those that were closed. */
  readonly accounts: readonly AccountJwt[]
  /** By the path below the public folder: what functions and newcomers read. */
  readonly files: ReadonlyMap<string, string>
  /** By region, the newest first. */
  readonly authorities: ReadonlyMap<string, AuthorityPems>
  readonly roots: AuthorityPems
}

/** Undefined where there is no operator yet. */
export function readPublishedTrust(store: AuthorityStore): PublishedTrust | undefined {
  const { files, homes, archipelago } = store
  const text = files.read(publicFiles.operator(homes.public))
  if (text === undefined) return undefined
  const accounts = readPublishedAccounts(files, homes)
  const authorities = archipelago.regions.map(({ name: region }) => {
    const of = (kind: AnyKind) => formatCertificates(readAuthorities(store, { kind, region }))
    return [region, byKind(of)] as const
  })
  const rootsOf = (kind: AnyKind) => files.read(rootsFile(homes.public, kind)) ?? ''
  return {
    operator: parseOperator(text),
    accounts,
    files: readPublicFiles(store, accounts),
    authorities: new Map(authorities),
    roots: byKind(rootsOf),
  }
}

const byKind = (textOf: (kind: AnyKind) => string): AuthorityPems =>
  Object.fromEntries(allKinds.map((kind) => [kind, textOf(kind)])) as AuthorityPems

function readPublicFiles(
  { files, homes: { public: folder }, archipelago }: AuthorityStore,
  accounts: readonly AccountJwt[],
): Map<string, string> {
  const paths = [
    publicFiles.operator(folder),
    publicFiles.denyList(folder),
    publicFiles.configuration(folder),
    publicFiles.network(folder, archipelago.network),
    ...accounts.map(({ claims }) => publicFiles.account(folder, claims.name as string)),
    ...authorityKinds.map((kind) => rootsFile(folder, kind)),
    bundleMapFile(folder),
  ]
  const entries = paths.flatMap((path) => {
    const text = files.read(path)
    return text === undefined ? [] : [[path.slice(folder.length + 1), text] as const]
  })
  return new Map(entries)
}
