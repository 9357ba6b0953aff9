// The image of everything that runs on Node in a cluster: Node, the three libraries that it is linked
// to, and our programs, each as one file.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleFrom, programEntry, programNames } from '../laptop/bundle.ts'
import { debianEntries } from './debian.ts'
import { withDraft } from './kept-file.ts'
import { nodeEntries, nodePath } from './node.ts'
import { npmParts } from './npm-parts.ts'
import { composeImage, type OciImage } from './oci-image.ts'
import { termsEntries, type Part } from './part.ts'
import type { Pins } from './pins.ts'
import type { Entry } from './tar.ts'
import { userFiles } from './user-files.ts'
import type { Workshop } from './workshop.ts'

// As on a laptop (laptop/functions.ts): garbage is collected before it amounts to 100 MB.
const environment = [
  'NODE_ENV=production',
  'NODE_OPTIONS=--max-semi-space-size=2 --max-old-space-size=48',
  'MALLOC_ARENA_MAX=1',
]

export async function makeFunctionsImage(pins: Pins, workshop: Workshop): Promise<OciImage> {
  const { entries, parts } = await bundlePrograms(workshop)
  return composeImage({
    name: 'functions',
    version: ownVersion(),
    description: 'the functions of Archipelago and the commands of its clusters, on Node',
    licences: 'Apache-2.0',
    platform: pins.platform,
    layers: [await runtimeEntries(pins, workshop), [...entries, ...termsEntries(parts)]],
    parts: [...runtimeParts(pins), ...parts],
    entrypoint: [`/${nodePath}`],
    command: ['/app/provision-credentials.cjs'],
    environment,
    // It drains: what was asked is still answered.
    stopSignal: 'SIGTERM',
  })
}

async function runtimeEntries(pins: Pins, workshop: Workshop): Promise<Entry[]> {
  const libraries: Entry[] = []
  for (const pin of pins.debian)
    libraries.push(...(await debianEntries(pin, pins.platform, workshop)))
  return [...userFiles(), ...libraries, ...(await nodeEntries(pins.node, workshop))]
}

/** Their terms are among what is taken of them. */
function runtimeParts({ platform: { architecture }, node, debian }: Pins): Part[] {
  const place = (version: string) => `${encodeURIComponent(version)}?arch=${architecture}`
  return [
    { ...node, name: 'node', purl: `pkg:npm/${node.package}@${node.version}`, terms: [] },
    ...debian.map(({ package: name, version, licence }) => {
      const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${place(version)}`
      return { name, version, licence, purl, terms: [] }
    }),
  ]
}

interface Bundled {
  readonly entries: readonly Entry[]
  readonly parts: readonly Part[]
}

function bundlePrograms({ cache }: Workshop): Promise<Bundled> {
  return withDraft(cache, async (folder) => {
    const entries: Entry[] = []
    const sources: string[] = []
    for (const name of programNames) {
      const file = join(folder, `${name}.cjs`)
      sources.push(...(await bundleFrom(programEntry(name), file)))
      entries.push({ path: `app/${name}.cjs`, mode: 0o644, chunks: [readFileSync(file)] })
    }
    return { entries, parts: npmParts(sources) }
  })
}

function ownVersion(): string {
  const file = fileURLToPath(new URL('../package.json', import.meta.url))
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
