// A program of a cluster as one file without dependencies, or all of them: what the Dockerfile puts into
// its image.
import { join } from 'node:path'
import { Command, Option } from '@commander-js/extra-typings'
import { Refusal } from '../core/errors.ts'
import { bundleFunction, programEntry, programNames } from '../laptop/bundle.ts'
import { runCommand } from './command.ts'

async function main(): Promise<void> {
  const {
    function: name,
    out,
    outDir,
  } = new Command('bundle-function')
    .description('Bundle a program of the cluster into one file without dependencies.')
    .addOption(
      new Option('--function <name>', 'which one')
        .choices(programNames)
        .default('provision-credentials' as const),
    )
    .option('--out <file>', 'where to write it, in CommonJS: name it .cjs')
    .addOption(
      new Option('--out-dir <dir>', 'write all of them, each as <name>.cjs').conflicts('out'),
    )
    .parse()
    .opts()
  if (outDir !== undefined) await bundleAll(outDir)
  else if (out !== undefined) await bundleFunction(out, programEntry(name))
  else throw new Refusal('ERR_OPTION_ILLEGAL', 'name where to write it, with --out or --out-dir')
}

async function bundleAll(folder: string): Promise<void> {
  for (const name of programNames)
    await bundleFunction(join(folder, `${name}.cjs`), programEntry(name))
}

runCommand('bundle-function', main)
