// The process: one door of one region, over NATS and HTTPS, until it is told to stop.
import { parseFunctionEnvironment } from '../provisioning/environment.ts'
import { startFunction } from '../provisioning/start-function.ts'
import { toldToStop } from '../provisioning/told-to-stop.ts'

async function main(): Promise<void> {
  await using _running = await startFunction(parseFunctionEnvironment(process.env))
  await toldToStop()
  // A leafnode server that does not answer must not keep a process that was told to end.
  setTimeout(() => process.exit(1), endMsMax).unref()
}

const endMsMax = 2_500

main().catch((error: unknown) => {
  console.error(`provision-credentials: ${error instanceof Error ? error.message : String(error)}`)
  // A connection that is still being made would keep the process.
  process.exit(1)
})
