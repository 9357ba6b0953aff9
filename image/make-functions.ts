// The image of everything that runs on Node in a cluster: Node, the three libraries that it is linked
// to, and our programs, each as one file.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleFunction, programEntry, programNames } from '../laptop/bundle.ts'
import { debianEntries } from './debian.ts'
import { withDraft } from './kept-file.ts'
import { nodeEntries, nodePath } from './node.ts'
import { composeImage, type OciImage } from './oci-image.ts'
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
  return composeImage({
    name: 'functions',
    version: ownVersion(),
    description: 'the functions of Archipelago and the commands of its clusters, on Node',
    licences: 'Apache-2.0',
    platform: pins.platform,
    layers: [await runtimeEntries(pins, workshop), await programEntries(workshop)],
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

function programEntries({ cache }: Workshop): Promise<Entry[]> {
  return withDraft(cache, async (folder) => {
    const entries: Entry[] = []
    for (const name of programNames) {
      const file = join(folder, `${name}.cjs`)
      await bundleFunction(file, programEntry(name))
      entries.push({ path: `app/${name}.cjs`, mode: 0o644, chunks: [readFileSync(file)] })
    }
    return entries
  })
}

function ownVersion(): string {
  const file = fileURLToPath(new URL('../package.json', import.meta.url))
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
