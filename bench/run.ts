// Measures what the project claims about its speed, and prints it beside the figures of others.
import { resolve } from 'node:path'
import { Command, Option } from '@commander-js/extra-typings'
import { findTool } from '../laptop/tools.ts'
import { runCommand } from '../scripts/command.ts'
import { describeMachine, loadOfLastMinute } from './machine.ts'
import { formatMachine, formatMeasured, formatSources, summarize, type Measured } from './report.ts'
import type { Bench, Row } from './row.ts'
import { bootstrap } from './rows/bootstrap.ts'
import { coldStart } from './rows/cold-start.ts'
import { identity } from './rows/identity.ts'
import { issuance } from './rows/issuance.ts'
import { latency } from './rows/latency.ts'
import { network } from './rows/network.ts'
import { push } from './rows/push.ts'
import { revocation } from './rows/revocation.ts'
import { start } from './rows/start.ts'
import { throughput } from './rows/throughput.ts'

const rows: readonly Row[] = [
  issuance,
  throughput,
  latency,
  network,
  coldStart,
  bootstrap,
  start,
  revocation,
  identity,
  push,
]

const quickRounds = 2
const quickShare = 0.1

const only = new Option('--only <row...>', 'measure these rows alone').choices(
  rows.map(({ name }) => name),
)
const command = new Command('bench')
  .description('Measure how fast it is, beside the figures of others. Exits with 1 if a row fails.')
  .addOption(only)
  .option('--quick', 'few and short rounds: whether it works, not how fast it is')
  .option('--profile <dir>', 'let the functions write CPU profiles there')
  .option('--json', 'print the figures as JSON')
  .addHelpText('after', `\nRows:\n${rows.map(describeRow).join('\n')}`)

async function main(): Promise<void> {
  const options = command.parse().opts()
  const natsServer = await findTool('nats-server', { report })
  const bench: Bench = {
    natsServer,
    rounds: (usual) => (options.quick ? quickRounds : usual),
    duration: (usualMs) => (options.quick ? usualMs * quickShare : usualMs),
    profile: options.profile && resolve(options.profile),
    report,
  }
  const machine = describeMachine(natsServer)
  const measured: Measured[] = []
  if (!options.json) console.log(formatMachine(machine))
  for (const row of rows) {
    if (!(options.only?.includes(row.name) ?? !row.isByName)) continue
    report(`${row.name}: ${row.what}`)
    const done = await measure(row, bench)
    measured.push(done)
    if (!options.json) console.log(`\n${formatMeasured(done)}`)
  }
  if (options.json) console.log(JSON.stringify({ machine, rows: measured.map(summarize) }))
  else console.log(`\n${formatSources(measured)}\n\n${countRows(measured)}`)
}

function describeRow({ name, what, isByName }: Row): string {
  return `  ${name}: ${what}${isByName ? ' (only when named)' : ''}`
}

/** Whether targets are met is not counted: the machine may be busy. */
function countRows(measured: readonly Measured[]): string {
  const failed = measured.filter(({ failure }) => failure !== undefined).length
  return `${measured.length - failed} rows measured, ${failed} failed`
}

/** A row that fails does not keep the others from being measured. */
async function measure(row: Row, bench: Bench): Promise<Measured> {
  try {
    return { row, figures: await row.measure(bench), load: loadOfLastMinute() }
  } catch (error) {
    process.exitCode = 1
    const failure = error instanceof Error ? error.message : String(error)
    return { row, figures: [], failure, load: loadOfLastMinute() }
  }
}

function report(line: string): void {
  console.error(`• ${line}`)
}

runCommand(command.name(), main)
