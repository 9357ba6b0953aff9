// Makes the network what archipelago.yaml says, also while it runs: shows the plan, asks where
// something is withdrawn for good, and does exactly that.
import { formatPlan } from '../core/plan/format.ts'
import type { Plan } from '../core/plan/plan.ts'
import { applyEdit, planEdit } from '../laptop/network/edit-network.ts'
import { publishTrust } from './adoption/publish.ts'
import { agreeTo } from './agree-to.ts'
import { networkCommand, openPlace, runCommand } from './command.ts'

const command = networkCommand(
  'apply',
  'Make the network what archipelago.yaml says, also while it runs. Asks before anything is withdrawn.',
)
  .option('--yes', 'agree to what the plan withdraws')
  .option('--manifests <dir>', 'write manifests/trust of your clone there, too')
  .option('--dry-run', 'change nothing: the same as plan')
  .option('--json', 'print the plan and what was verified as JSON')

const changesExitCode = 2

async function main(): Promise<void> {
  const { yes, manifests, dryRun: isDryRun, json, ...where } = command.parse().opts()
  const place = openPlace(where)
  const plan = await planEdit(place)
  if (!json || isDryRun) show(plan, json)
  if (isDryRun) {
    if (plan.lines.length > 0) process.exitCode = changesExitCode
    return
  }
  if (!yes) await agreeTo(plan)
  const report = (line: string): void => console.error(`• ${line}`)
  const applied = await applyEdit(place, { agreed: plan.digest, report })
  if (manifests !== undefined) publishTrust(place, manifests)
  if (json) console.log(JSON.stringify(applied, undefined, 2))
  else for (const line of applied.verified) console.log(`✓ ${line}`)
}

function show(plan: Plan, json: true | undefined): void {
  if (json) console.log(JSON.stringify(plan, undefined, 2))
  else for (const line of formatPlan(plan)) console.log(line)
}

runCommand(command.name(), main)
