// At which addresses the current cluster's gateways are reached, into archipelago.yaml.
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command, Option } from '@commander-js/extra-typings'
import { parse } from 'yaml'
import { parseArchipelago, type Region } from '../core/archipelago.ts'
import { Refusal } from '../core/errors.ts'
import { requireRegion } from '../core/known-region.ts'
import { addressKind, findAddresses } from '../gitops/addresses.ts'
import { withNodes } from '../gitops/edit-archipelago.ts'
import { openCluster } from '../kube/cluster.ts'
import { readArchipelago } from '../store/archipelago.ts'
import { readOrRefuse } from '../store/files.ts'
import { runCommand } from './command.ts'

const addressTypes = ['ExternalIP', 'InternalIP'] as const
const addressType = new Option('--address-type <type>', 'which addresses of its nodes')

const command = new Command('discover-gateways')
  .description(
    'Write the addresses of a region’s nodes, or of its load balancers, into archipelago.yaml.',
  )
  .argument('<region>', 'which one')
  .option('--archipelago <file>', 'the description of the network', 'archipelago.yaml')
  .option('--context <name>', 'of your kubeconfig (default: its current one)')
  .option('--file <file>', 'ask no cluster: what kubectl get nodes (or services) -o json printed')
  .addOption(addressType.choices(addressTypes).default('ExternalIP' as const))
  .option('--dry-run', 'write nothing, say what would be written')
  .option('--json', 'print the outcome as JSON')

type Options = ReturnType<typeof command.opts>

async function main(): Promise<void> {
  const options = command.parse().opts()
  const [name] = command.processedArgs
  const file = resolve(options.archipelago)
  const { regions, kubernetes } = readArchipelago(file, options.archipelago)
  const region = requireRegion(regions, name)
  const objects = options.file
    ? itemsOf(readOrRefuse(options.file, 'objects of the cluster'))
    : await askCluster(region, kubernetes.namespace, options)
  const nodes = findAddresses(region, objects, options.addressType)
  const before = readFileSync(file, 'utf8')
  const text = withNodes(before, region.name, nodes)
  // Refuses here what the file would be refused for later.
  parseArchipelago(text, options.archipelago)
  if (!options.dryRun && text !== before) writeFileSync(file, text)
  const isChanged = text !== before
  if (options.json)
    return console.log(
      JSON.stringify({ region: name, nodes, isChanged, isDryRun: !!options.dryRun }),
    )
  const verb = isChanged ? (options.dryRun ? 'would write' : 'wrote') : 'already there:'
  console.log(`${verb} regions.${name}.nodes: ${nodes.join(', ')}`)
  if (isChanged && !options.dryRun) console.log('next: npx node scripts/render-manifests.ts')
}

async function askCluster(region: Region, namespace: string, { context }: Options) {
  const cluster = openCluster(namespace, context === undefined ? {} : { context })
  return await cluster.list({ apiVersion: 'v1', kind: addressKind(region) })
}

/** JSON is YAML too, so either form of kubectl's output is read. */
function itemsOf(text: string): unknown[] {
  const { items } = (parse(text) ?? {}) as { items?: unknown }
  if (Array.isArray(items)) return items
  throw new Refusal('ERR_OPTION_ILLEGAL', '--file: not a list of objects, as kubectl prints it')
}

runCommand(command.name(), main, {
  ERR_ADDRESSES_NONE:
    'wait for the cloud to give one, or take --address-type InternalIP where regions reach each other so',
  ERR_CLUSTER_UNREACHABLE: 'look whether kubectl reaches it, and name its context with --context',
})
