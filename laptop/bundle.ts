import { build } from 'esbuild'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Everything that runs in a cluster on our own Node: each is one file in the image, /app/<name>.cjs. */
const programs = {
  'provision-credentials': new URL('../functions/triggers/serve.ts', import.meta.url),
  'make-region-keys': new URL('../functions/cluster/make-region-keys.ts', import.meta.url),
  'answer-authority': new URL('../functions/cluster/answer-authority.ts', import.meta.url),
  'prove-region': new URL('../functions/cluster/prove-region.ts', import.meta.url),
  'export-metrics': new URL('../functions/cluster/export-metrics.ts', import.meta.url),
  'renew-leafnode': new URL('../functions/renew-leafnode.ts', import.meta.url),
  'watch-files': new URL('../functions/cluster/watch-files.ts', import.meta.url),
}

export type ProgramName = keyof typeof programs

export const programNames = Object.keys(programs) as ProgramName[]

export function programEntry(name: ProgramName): string {
  return fileURLToPath(programs[name])
}

/** Bundles a program into one file without dependencies: what a container and the laptop run. */
export async function bundleFunction(
  outfile: string,
  entry = programEntry('provision-credentials'),
): Promise<void> {
  await bundleFrom(entry, outfile)
}

/** The same, and says of which files it is made, by their paths in the repository. */
export async function bundleFrom(entry: string, outfile: string): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    metafile: true,
    platform: 'node',
    target: 'node24',
    // Not as a module: Node would list everything that its own modules export, at 6 ms a start.
    format: 'cjs',
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'silent',
    // Modules are named by their paths: seen from here, wherever node_modules really lies.
    absWorkingDir: root,
    preserveSymlinks: true,
  })
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs))
  return inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path)
}
