// archipelago.yaml → every generated file under manifests/. Needs no key, no cluster and no tool.
import { dirname, resolve } from 'node:path'
import { Command } from '@commander-js/extra-typings'
import { Refusal } from '../core/errors.ts'
import { compareGenerated, writeGenerated, type FileChange } from '../gitops/generated-files.ts'
import { renderManifests } from '../gitops/render.ts'
import { readArchipelago } from '../store/archipelago.ts'
import { runCommand } from './command.ts'

const command = new Command('render-manifests')
  .description('Render the generated files under manifests/, beside archipelago.yaml.')
  .option('--archipelago <file>', 'the description of the network', 'archipelago.yaml')
  .option('--dry-run', 'say what would be written, and write nothing')
  .option('--check', 'write nothing; fail when a file is not as it would be rendered')
  .option('--json', 'print the changes as JSON')

async function main(): Promise<void> {
  const { archipelago: file, dryRun, check, json } = command.parse().opts()
  const rendered = renderManifests(readArchipelago(resolve(file), file))
  const root = dirname(resolve(file))
  const changes = compareGenerated(root, rendered)
  if (check !== true && dryRun !== true) writeGenerated(root, rendered, changes)
  if (json) console.log(JSON.stringify({ files: rendered.size, changes }, undefined, 2))
  else for (const line of format(changes, rendered.size)) console.log(line)
  if (check && changes.length > 0) throw outdated(changes)
}

function format(changes: readonly FileChange[], files: number): string[] {
  const lines = changes.map(({ path, effect }) => `${effect.padEnd(6)} ${path}`)
  return [...lines, `${files} files, ${changes.length} to change`]
}

const outdated = (changes: readonly FileChange[]) =>
  new Refusal(
    'ERR_GENERATED_OUTDATED',
    `not as rendered: ${changes.map(({ path }) => path).join(', ')}`,
  )

runCommand(command.name(), main, {
  ERR_GENERATED_OUTDATED:
    'run npx node scripts/render-manifests.ts, look at what it changed, commit',
})
