// Beside a server in its pod. As a startup probe, with --ready: says why the pod has to wait. Running: tells
// the server of every mounted file that changed, so that it takes it while its connections stay.
import { toldToStop } from '../provisioning/told-to-stop.ts'
import { missingReason } from './missing-files.ts'
import { signalOnChange } from './signal-on-change.ts'
import { parseWatchEnvironment } from './watch-environment.ts'

async function main(): Promise<void> {
  const environment = parseWatchEnvironment(process.env)
  if (process.argv.includes('--ready')) {
    const reason = missingReason(environment)
    if (reason === undefined) return
    // What a probe says on standard output stands in the pod's events.
    console.log(reason)
    process.exitCode = 1
    return
  }
  using _watching = signalOnChange(environment, { report })
  await toldToStop()
}

function report(line: string): void {
  console.error(`watch-files: ${line}`)
}

main().catch((error: unknown) => {
  report(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
})
