import { build } from 'esbuild'
import { fileURLToPath } from 'node:url'

const functionEntry = fileURLToPath(new URL('../functions/triggers/serve.ts', import.meta.url))

/** Bundles the function into one file without dependencies: what a container and the laptop run. */
export async function bundleFunction(outfile: string, entry = functionEntry): Promise<void> {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    // Not as a module: Node would list everything that its own modules export, at 6 ms a start.
    format: 'cjs',
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'silent',
  })
}
