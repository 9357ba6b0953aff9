// The images that pods run, without Docker: archives for `ctr images import`, and their digests for the
// overlays.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from '@commander-js/extra-typings'
import {
  componentFile,
  parseComponent,
  renderComponent,
  repositoryOf,
  type NamedImage,
} from '../image/component.ts'
import { makeImages } from '../image/make-images.ts'
import type { OciImage } from '../image/oci-image.ts'
import { parseRegistry, repositoryAt, type RegistryAddress } from '../image/registry/address.ts'
import { findCredentials } from '../image/registry/credentials.ts'
import { pushImage } from '../image/registry/push.ts'
import { openWorkshop } from '../image/workshop.ts'
import { writeArchive, type WrittenImage } from '../image/write-archive.ts'
import { runCommand } from './command.ts'

const component = fileURLToPath(new URL(`../${componentFile}`, import.meta.url))

const command = new Command('image')
  .description(
    `Make the images of nats-server and of the functions, and write their digests into ${componentFile}, which every overlay takes.`,
  )
  .option('--out <dir>', 'where to write the archives, for ctr images import', 'images')
  .option('--push <registry>', 'push them there too, such as to registry.example/team')
  .option('--mirror <url>', "a mirror of Debian, instead of apt and the machine's own sources")
  .option('--dry-run', 'make them, and only say what would be written and pushed')
  .option('--json', 'print the images as JSON')
  .addHelpText(
    'after',
    `
Who pushes is read from ARCHIPELAGO_REGISTRY_USER and ARCHIPELAGO_REGISTRY_PASSWORD, or from where docker
login and podman login leave it. What was fetched and built is kept in ~/.cache/archipelago/images.`,
  )

type Options = ReturnType<typeof command.opts>

async function main(): Promise<void> {
  const options = command.parse().opts()
  const { out: folder, push, mirror, json = false, dryRun: isDryRun = false } = options
  const registry = push === undefined ? undefined : parseRegistry(push)
  const images = await makeImages(openWorkshop({ environment: process.env, report, mirror }))
  const known = existsSync(component) ? parseComponent(readFileSync(component, 'utf8')) : []
  const made: WrittenImage[] = []
  for (const image of images) {
    const repository =
      registry === undefined
        ? repositoryOf(image.name, known)
        : await pushTo(registry, image, options)
    made.push(await writeArchive(image, { repository, folder, isDryRun }))
  }
  writeComponent(made, options)
  console.log(json ? JSON.stringify(made, undefined, 2) : made.map(formatMade).join('\n'))
}

function report(line: string): void {
  console.error(`image: ${line}`)
}

/** What a pod calls it from now on. */
async function pushTo(
  address: RegistryAddress,
  image: OciImage,
  { dryRun }: Options,
): Promise<string> {
  if (dryRun === true) return repositoryAt(address, image.name)
  const credentials = await findCredentials(address.host, process.env)
  const { repository, tag, bytesSent } = await pushImage(image, address, credentials)
  report(`pushed ${repository}:${tag}, ${megabytes(bytesSent)} of it new there`)
  return repository
}

function writeComponent(images: readonly NamedImage[], { dryRun }: Options): void {
  const text = renderComponent(images)
  if (existsSync(component) && readFileSync(component, 'utf8') === text) return
  report(dryRun === true ? `${componentFile} would change` : `${componentFile} changed: commit it`)
  if (dryRun === true) return
  mkdirSync(dirname(component), { recursive: true })
  writeFileSync(component, text)
}

function formatMade({ name, version, repository, digest, bytes, archive }: WrittenImage): string {
  const title = `${name} ${version}, ${megabytes(bytes)}`
  return [title, `  ${repository}@${digest}`, `  ${archive}`].join('\n')
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`

runCommand('image', main, {
  ERR_IMAGE_PIN:
    'remove it from ~/.cache/archipelago/images and try again; if it stays so, somebody answers with other bytes',
  ERR_IMAGE_COMPONENT: `get it back with git checkout ${componentFile}, or remove it`,
  ERR_REGISTRY_LOGIN:
    'log in with docker login or podman login, or set ARCHIPELAGO_REGISTRY_USER and ARCHIPELAGO_REGISTRY_PASSWORD',
  ERR_REGISTRY_REFUSED: 'look whether that registry is reachable, and whether you may push there',
})
