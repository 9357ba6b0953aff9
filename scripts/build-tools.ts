// Makes sure that the native tools are there, so that nothing later has to wait for a build.
import { Command } from '@commander-js/extra-typings'
import { findTool } from '../laptop/tools.ts'
import { toolNames } from '../laptop/tools/pin.ts'

async function main(): Promise<void> {
  const { json } = new Command('build-tools')
    .description('Find nats-server, nsc, nats and kustomize, or build them with Go into the cache.')
    .option('--json', 'print the paths as JSON')
    .parse()
    .opts()
  const report = (line: string): void => console.error(`build-tools: ${line}`)
  const paths = new Map<string, string>()
  for (const name of toolNames) paths.set(name, await findTool(name, { report }))
  if (json) console.log(JSON.stringify(Object.fromEntries(paths)))
  else for (const [name, path] of paths) console.log(`${name}\t${path}`)
}

main().catch((error: unknown) => {
  console.error(`build-tools: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
})
