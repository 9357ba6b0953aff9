// The images that pods run, without Docker: archives for `ctr images import`, their digests for the
// overlays.
import { createWriteStream, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { Command } from '@commander-js/extra-typings'
import { packArchive } from '../image/archive.ts'
import {
  componentFile,
  parseComponent,
  renderComponent,
  repositoryOf,
  type NamedImage,
} from '../image/component.ts'
import { makeImages } from '../image/make-images.ts'
import type { OciImage } from '../image/oci-image.ts'
import { imageCache } from '../image/workshop.ts'
import { runCommand } from './command.ts'

const component = fileURLToPath(new URL(`../${componentFile}`, import.meta.url))

const command = new Command('image')
  .description(
    'Make the images of nats-server and of the functions, and write their digests into the overlays.',
  )
  .option('--out <dir>', 'where to write the archives', 'images')
  .option('--mirror <url>', "a mirror of Debian, instead of apt and the machine's own sources")
  .option('--dry-run', 'make them, and only say what would be written')
  .option('--json', 'print the images as JSON')

interface Made extends NamedImage {
  readonly version: string
  readonly bytes: number
  readonly archive: string
}

async function main(): Promise<void> {
  const { out, mirror, dryRun = false, json = false } = command.parse().opts()
  const report = (line: string): void => console.error(`image: ${line}`)
  const { env: environment } = process
  const cache = imageCache(environment)
  const images = await makeImages({ cache, environment, report, mirror, signal: undefined })
  const known = existsSync(component) ? parseComponent(readFileSync(component, 'utf8')) : []
  const made: Made[] = []
  for (const image of images)
    made.push(await writeArchive(image, repositoryOf(image.name, known), { out, dryRun }))
  writeComponent(made, { dryRun, report })
  console.log(json ? JSON.stringify(made, undefined, 2) : made.map(formatMade).join('\n'))
}

async function writeArchive(
  image: OciImage,
  repository: string,
  { out, dryRun }: { out: string; dryRun: boolean },
): Promise<Made> {
  const { name, version, manifest } = image
  const chunks = packArchive(image, repository)
  const archive = resolve(out, `${name}.tar`)
  if (!dryRun) {
    mkdirSync(dirname(archive), { recursive: true })
    await pipeline(Readable.from(chunks), createWriteStream(archive))
  }
  const bytes = chunks.reduce((total, { length }) => total + length, 0)
  return { name, version, repository, digest: manifest.digest, bytes, archive }
}

function writeComponent(
  images: readonly NamedImage[],
  { dryRun, report }: { dryRun: boolean; report: (line: string) => void },
): void {
  const text = renderComponent(images)
  if (existsSync(component) && readFileSync(component, 'utf8') === text) return
  report(dryRun ? `${componentFile} would change` : `${componentFile} changed: commit it`)
  if (dryRun) return
  mkdirSync(dirname(component), { recursive: true })
  writeFileSync(component, text)
}

function formatMade({ name, version, repository, digest, bytes, archive }: Made): string {
  const size = `${(bytes / 1e6).toFixed(1)} MB`
  return [`${name} ${version}, ${size}`, `  ${repository}@${digest}`, `  ${archive}`].join('\n')
}

runCommand('image', main)
