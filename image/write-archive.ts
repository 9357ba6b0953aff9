import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { packArchive } from './archive.ts'
import { billOfMaterials } from './bill-of-materials.ts'
import type { NamedImage } from './component.ts'
import type { OciImage } from './oci-image.ts'

export interface WrittenImage extends NamedImage {
  readonly version: string
  readonly bytes: number
  /** Absolute paths. */
  readonly archive: string
  readonly billOfMaterials: string
}

export interface ArchivePlace {
  /** What pods call the image. */
  readonly repository: string
  readonly folder: string
  readonly isDryRun?: boolean
}

/** Writes `<name>.tar`, and what is in it as `<name>.cdx.json`, into the folder; on a dry run only says what it would be. */
export async function writeArchive(image: OciImage, place: ArchivePlace): Promise<WrittenImage> {
  const { name, version, manifest } = image
  const { repository, folder, isDryRun = false } = place
  const chunks = packArchive(image, repository)
  const archive = resolve(folder, `${name}.tar`)
  const bill = resolve(folder, `${name}.cdx.json`)
  if (!isDryRun) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(bill, `${JSON.stringify(billOfMaterials(image), undefined, 2)}\n`)
    await pipeline(Readable.from(chunks), createWriteStream(archive))
  }
  const bytes = chunks.reduce((total, { length }) => total + length, 0)
  return {
    name,
    version,
    repository,
    digest: manifest.digest,
    bytes,
    archive,
    billOfMaterials: bill,
  }
}
