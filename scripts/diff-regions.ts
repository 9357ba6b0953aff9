// What two regions run differently, but for their names.
import { dirname, join, resolve } from 'node:path'
import { Command } from '@commander-js/extra-typings'
import { requireRegion } from '../core/known-region.ts'
import { compareRegions, type Difference } from '../gitops/compare-regions.ts'
import { buildKustomization } from '../gitops/kustomize.ts'
import { readArchipelago } from '../store/archipelago.ts'
import { runCommand } from './command.ts'

const command = new Command('diff-regions')
  .description('Show what differs between the overlays of two regions, but for their names.')
  .argument('[region]', 'one (default: the first of archipelago.yaml)')
  .argument('[other]', 'the other (default: each of the rest)')
  .option('--archipelago <file>', 'the description of the network', 'archipelago.yaml')
  .option('--json', 'print the differences as JSON')
  .addHelpText('after', '\nExits with 0 when nothing differs, with 1 when something does.')

async function main(): Promise<void> {
  const options = command.parse().opts()
  const file = resolve(options.archipelago)
  const { regions } = readArchipelago(file, options.archipelago)
  const names = regions.map(({ name }) => name)
  const [one = names[0] ?? '', other] = command.processedArgs
  const others = other === undefined ? names.filter((name) => name !== one) : [other]
  for (const name of [one, ...others]) requireRegion(regions, name)
  const overlays = join(dirname(file), 'manifests/overlays')
  const build = async (name: string) => ({
    name,
    manifests: await buildKustomization(join(overlays, name)),
  })
  const built = await build(one)
  const found = await Promise.all(
    others.map(async (name) => ({
      regions: [one, name],
      differences: compareRegions(built, await build(name)),
    })),
  )
  if (options.json) console.log(JSON.stringify(found, undefined, 2))
  else for (const { regions, differences } of found) show(regions, differences)
  if (found.some(({ differences }) => differences.length > 0)) process.exitCode = 1
}

function show(regions: readonly string[], differences: readonly Difference[]): void {
  const many = differences.length === 0 ? 'the same but for their names' : differences.length
  console.log(`${regions.join(' and ')}: ${many}`)
  for (const { object, path, one, other } of differences) {
    console.log(`  ${object}${path === '' ? '' : `, ${path}`}`)
    console.log(`    ${regions[0]}: ${one}\n    ${regions[1]}: ${other}`)
  }
}

runCommand(command.name(), main)
