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
    format: 'esm',
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'silent',
    // Packages in CommonJS ask for Node's own modules by require.
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
    },
  })
}
