// Makes the network what archipelago.yaml says, also while it runs: shows the plan, asks where
// something is withdrawn for good, and does exactly that.
import { createInterface } from 'node:readline/promises'
import { Refusal } from '../core/errors.ts'
import { formatPlan } from '../core/plan/format.ts'
import type { Plan } from '../core/plan/plan.ts'
import { applyEdit, planEdit } from '../laptop/network/edit-network.ts'
import { networkCommand, openPlace, runCommand } from './command.ts'

const command = networkCommand(
  'apply',
  'Make the network what archipelago.yaml says, also while it runs. Asks before anything is withdrawn.',
)
  .option('--yes', 'agree to what the plan withdraws')
  .option('--dry-run', 'change nothing: the same as plan')
  .option('--json', 'print the plan and what was verified as JSON')

const changesExitCode = 2

async function main(): Promise<void> {
  const { yes, dryRun: isDryRun, json, ...where } = command.parse().opts()
  const place = openPlace(where)
  const plan = await planEdit(place)
  if (!json || isDryRun) show(plan, json)
  if (isDryRun) {
    if (plan.lines.length > 0) process.exitCode = changesExitCode
    return
  }
  if (plan.asks && !yes) await ask()
  const report = (line: string): void => console.error(`• ${line}`)
  const applied = await applyEdit(place, { agreed: plan.digest, report })
  if (json) console.log(JSON.stringify(applied, undefined, 2))
  else for (const line of applied.verified) console.log(`✓ ${line}`)
}

function show(plan: Plan, json: true | undefined): void {
  if (json) console.log(JSON.stringify(plan, undefined, 2))
  else for (const line of formatPlan(plan)) console.log(line)
}

async function ask(): Promise<void> {
  const refusal = new Refusal('ERR_PLAN_ASKS', 'nobody agreed to what the plan withdraws')
  if (!process.stdin.isTTY) throw refusal
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await terminal.question('Withdraw it? Only yes is yes: ')
  terminal.close()
  if (answer.trim() !== 'yes') throw refusal
}

runCommand(command.name(), main)
