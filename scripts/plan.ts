// What an edit of archipelago.yaml would do: what is re-signed, reloads, restarts, and who is cut off.
import { formatPlan } from '../core/plan/format.ts'
import { planEdit } from '../laptop/network/edit-network.ts'
import { networkCommand, openPlace, runCommand } from './command.ts'

const command = networkCommand(
  'plan',
  'Say what an edit of archipelago.yaml would do. Exits with 0 where there is nothing to do, with 2 where there is.',
).option('--json', 'print the plan as JSON')

const changesExitCode = 2

async function main(): Promise<void> {
  const { json, ...where } = command.parse().opts()
  const plan = await planEdit(openPlace(where))
  if (json) console.log(JSON.stringify(plan, undefined, 2))
  else for (const line of formatPlan(plan)) console.log(line)
  if (plan.lines.length > 0) process.exitCode = changesExitCode
}

runCommand(command.name(), main)
