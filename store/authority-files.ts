// Where roots and intermediates lie: keys in the home where they were made, certificates in what git
// carries.
import { join } from 'node:path'
import type { AuthorityKind } from '../core/identity/authority.ts'
import {
  formatCertificates,
  parseCertificates,
  type Certificate,
} from '../core/identity/certificate.ts'
import type { Files } from './files.ts'
import { regionHome, type Homes } from './homes.ts'

const rootsFiles: Record<AuthorityKind, string> = {
  identity: 'roots.pem',
  public: 'public-roots.pem',
}
const intermediatesFolders: Record<AuthorityKind, string> = {
  identity: 'intermediates',
  public: 'public-intermediates',
}

export const rootsFile = (publicFolder: string, kind: AuthorityKind): string =>
  join(publicFolder, 'identity', rootsFiles[kind])

/** The newest first; what went before stays until its end. */
export const intermediatesFile = (
  publicFolder: string,
  kind: AuthorityKind,
  region: string,
): string => join(publicFolder, 'identity', intermediatesFolders[kind], `${region}.pem`)

export const bundleMapFile = (publicFolder: string): string =>
  join(publicFolder, 'identity', 'bundle-map.json')

export const rootKeyFile = ({ operator }: Homes, kind: AuthorityKind): string =>
  join(operator, 'identity', kind, 'root.key')

export interface IntermediateFiles {
  readonly key: string
  readonly request: string
  readonly certificate: string
}

/** `next` waits for its signature; `current` signs. */
export function intermediateFiles(
  homes: Homes,
  { region, kind }: { readonly region: string; readonly kind: AuthorityKind },
  stage: 'current' | 'next',
): IntermediateFiles {
  const folder = join(regionHome(homes, region), 'identity', 'ca', kind, stage)
  return {
    key: join(folder, 'ca.key'),
    request: join(folder, 'ca.csr'),
    certificate: join(folder, 'ca.crt'),
  }
}

/** None where there is no such file. */
export function readCertificates(files: Files, path: string): Certificate[] {
  const text = files.read(path)
  return text === undefined || text === '' ? [] : parseCertificates(text)
}

export const readRoots = (files: Files, { public: folder }: Homes, kind: AuthorityKind) =>
  readCertificates(files, rootsFile(folder, kind))

export const readIntermediates = (
  files: Files,
  { public: folder }: Homes,
  { kind, region }: { readonly kind: AuthorityKind; readonly region: string },
) => readCertificates(files, intermediatesFile(folder, kind, region))

export function writeCertificates(
  files: Files,
  path: string,
  certificates: readonly Certificate[],
): boolean {
  return files.write(path, formatCertificates(certificates))
}
