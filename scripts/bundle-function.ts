// A function as one file without dependencies: what the Dockerfile puts into its image.
import { fileURLToPath } from 'node:url'
import { Command, Option } from '@commander-js/extra-typings'
import { bundleFunction } from '../laptop/bundle.ts'
import { runCommand } from './command.ts'

const entries = {
  'provision-credentials': '../functions/triggers/serve.ts',
  'renew-leafnode': '../functions/renew-leafnode.ts',
} as const
const names = Object.keys(entries) as (keyof typeof entries)[]

async function main(): Promise<void> {
  const { function: name, out } = new Command('bundle-function')
    .description('Bundle a function into one file without dependencies.')
    .addOption(
      new Option('--function <name>', 'which one').choices(names).default('provision-credentials'),
    )
    .requiredOption('--out <file>', 'where to write it, in CommonJS: name it .cjs')
    .parse()
    .opts()
  const entry = entries[name]
  await bundleFunction(out, fileURLToPath(new URL(entry, import.meta.url)))
}

runCommand('bundle-function', main)
