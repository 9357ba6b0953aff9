// Where roots and intermediates lie: keys in the home where they were made, certificates in what git
// carries.
import { join } from 'node:path'
import type { AnyKind } from '../core/identity/authority.ts'
import {
  formatCertificates,
  parseCertificates,
  type Certificate,
} from '../core/identity/certificate.ts'
import type { Files } from './files.ts'
import { regionHome, type Homes } from './homes.ts'

/** Those of identities came first, and have no prefix. */
const prefixOf = (kind: AnyKind) => (kind === 'identity' ? '' : `${kind}-`)

export const rootsFile = (publicFolder: string, kind: AnyKind): string =>
  join(publicFolder, 'identity', `${prefixOf(kind)}roots.pem`)

/** The newest first; what went before stays until its end. */
export const intermediatesFile = (publicFolder: string, kind: AnyKind, region: string): string =>
  join(publicFolder, 'identity', `${prefixOf(kind)}intermediates`, `${region}.pem`)

export const bundleMapFile = (publicFolder: string): string =>
  join(publicFolder, 'identity', 'bundle-map.json')

export const rootKeyFile = ({ operator }: Homes, kind: AnyKind): string =>
  join(operator, 'identity', kind, 'root.key')

export interface IntermediateFiles {
  readonly key: string
  readonly request: string
  readonly certificate: string
}

/** `next` waits for its signature; `current` signs. */
export function intermediateFiles(
  homes: Homes,
  { region, kind }: { readonly region: string; readonly kind: AnyKind },
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

export const readRoots = (files: Files, { public: folder }: Homes, kind: AnyKind) =>
  readCertificates(files, rootsFile(folder, kind))

export const readIntermediates = (
  files: Files,
  { public: folder }: Homes,
  { kind, region }: { readonly kind: AnyKind; readonly region: string },
) => readCertificates(files, intermediatesFile(folder, kind, region))

export function writeCertificates(
  files: Files,
  path: string,
  certificates: readonly Certificate[],
): boolean {
  return files.write(path, formatCertificates(certificates))
}
