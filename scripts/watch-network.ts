// Watches the network from the operator's machine until Ctrl-C: `npm start` does the same by itself.
import type { WatchFinding } from '../core/network/watch-finding.ts'
import { parseDuration } from '../core/duration.ts'
import { watchNetwork, watchOnce } from '../nats/watch-network.ts'
import { networkCommand, openPlace, runCommand } from './command.ts'
import { openOperatorSession } from './operator-session.ts'

const command = networkCommand(
  'watch-network',
  'Cut connections that outlive their role, put back accounts and deny lists that differ or went back.',
)
  .option('--once', 'look once, mend, and exit with 0 when there was nothing to find')
  .option('--interval <duration>', 'between two looks', '3s')
  .option('--json', 'print each finding as a line of JSON')

async function main(): Promise<void> {
  const { once, interval, json, ...where } = command.parse().opts()
  const session = openOperatorSession(openPlace(where))
  const onFinding = (finding: WatchFinding): void => console.log(format(finding, json))
  if (once) {
    const findings = await watchOnce(session)
    findings.forEach(onFinding)
    if (findings.length > 0) process.exitCode = 1
    return
  }
  const intervalMs = parseDuration(interval) * 1000
  await using _watching = watchNetwork({ ...session, onFinding, intervalMs })
  await told()
}

function format(finding: WatchFinding, json: true | undefined): string {
  const time = new Date().toISOString()
  if (json) return JSON.stringify({ time, ...finding })
  const measure = finding.measure === 'none' ? '' : `: ${finding.measure}`
  return `${time} ${finding.code} ${finding.message}${measure}`
}

/** Resolves at the first signal to end. */
function told(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.once(signal, () => resolve())
  return promise
}

runCommand(command.name(), main)
