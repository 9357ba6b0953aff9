// The files of authorities that servers trust: named by their content, so that a configuration's digest
// says which authorities it was loaded with.
import { createHash } from 'node:crypto'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Archipelago } from '../../core/archipelago.ts'
import { formatCertificates } from '../../core/identity/certificate.ts'
import { readAuthorities } from '../../store/authorities.ts'
import type { Files } from '../../store/files.ts'
import type { Homes } from '../../store/homes.ts'
import { tlsFolder } from '../layout.ts'

export interface AnchorFile {
  readonly path: string
  readonly content: string
}

/** By region. */
export type Anchors = ReadonlyMap<
  string,
  {
    /** Its own authority alone: for routes, leafnodes and functions. */
    readonly own: AnchorFile
    /** Those of all regions: for gateways. */
    readonly mesh: AnchorFile
  }
>

/** Of the authorities that are published and that a root signed; writes nothing. */
export function readAnchors(files: Files, homes: Homes, archipelago: Archipelago): Anchors {
  const { regions } = archipelago
  const published = regions.map(({ name: region }) => {
    const authorities = readAuthorities({ files, homes, archipelago }, { kind: 'identity', region })
    return [region, formatCertificates(authorities)] as const
  })
  const all = published.map(([, pem]) => pem).join('')
  return new Map(
    published.map(([region, pem]) => {
      const folder = tlsFolder(homes.data, region)
      return [
        region,
        { own: anchorFile(folder, 'trust', pem), mesh: anchorFile(folder, 'mesh', all) },
      ]
    }),
  )
}

/** Once no server's configuration names them any more; hands back how many went. */
export function removeOtherAnchors({ data }: Homes, anchors: Anchors): number {
  const named = new Set([...anchors.values()].flatMap(({ own, mesh }) => [own.path, mesh.path]))
  const others = [...anchors.keys()]
    .map((region) => tlsFolder(data, region))
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((path) => anchorName.test(path) && !named.has(path))
  for (const path of others) rmSync(path, { force: true })
  return others.length
}

const anchorName = /\/(trust|mesh)-[0-9a-f]{12}\.pem$/

function anchorFile(folder: string, name: string, content: string): AnchorFile {
  const digest = createHash('sha256').update(content).digest('hex')
  return { path: join(folder, `${name}-${digest.slice(0, 12)}.pem`), content }
}
