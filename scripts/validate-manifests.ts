// Everything under manifests/ as a cluster would get it, through every gate that can be run here.
import { dirname, resolve } from 'node:path'
import { Command } from '@commander-js/extra-typings'
import { Refusal } from '../core/errors.ts'
import { trustGate } from '../gitops/committed-trust.ts'
import { validateManifests, type Gate } from '../gitops/validate.ts'
import { openDryRun } from '../kube/dry-run.ts'
import { readArchipelago } from '../store/archipelago.ts'
import { runCommand } from './command.ts'

const command = new Command('validate-manifests')
  .description(
    'Build everything under manifests/ and look at it: schema and unknown fields, rules of our own, trust that goes forward, and a dry run on a server. Changes nothing. Exits with 1 when a gate finds a fault.',
  )
  .option('--archipelago <file>', 'the description of the network', 'archipelago.yaml')
  .option('--against <revision>', 'the commit that the trust has to go forward from', 'HEAD')
  .option('--context <name>', 'dry run on this cluster of the kubeconfig')
  .option('--kubeconfig <file>', 'dry run on the cluster of this kubeconfig')
  .option('--json', 'print the gates as JSON')

async function main(): Promise<void> {
  const { archipelago: file, against, json, ...cluster } = command.parse().opts()
  const archipelago = readArchipelago(resolve(file), file)
  const root = dirname(resolve(file))
  const server = Object.keys(cluster).length === 0 ? undefined : openDryRun(cluster)
  const gates = [
    ...(await validateManifests(root, archipelago, server)),
    await trustGate(root, archipelago, against),
  ]
  if (json) console.log(JSON.stringify(gates, undefined, 2))
  else for (const gate of gates) print(gate)
  const count = gates.reduce((sum, { faults }) => sum + faults.length, 0)
  if (count > 0) throw new Refusal('ERR_MANIFESTS_ILLEGAL', `${count} faults`)
}

function print({ name, isRun, note, faults }: Gate): void {
  const mark = isRun ? (faults.length === 0 ? '✔' : '✘') : '–'
  console.log(`${mark} ${name.padEnd(24)} ${isRun ? note : `not run: ${note}`}`)
  for (const fault of faults) console.log(`  ${fault}`)
}

runCommand(command.name(), main, {
  ERR_MANIFESTS_ILLEGAL: 'mend what is named above; generated files by way of archipelago.yaml',
})
