// Outlives the process that started a lab, however that ends, and then takes the lab down. It is told
// by the end of its standard input, which the kernel closes even after a SIGKILL.
import { once } from 'node:events'
import { cleanLab } from './clean.ts'
import { readRecord } from './record.ts'

async function main(): Promise<void> {
  const [file = ''] = process.argv.slice(2)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  process.stdin.resume()
  await once(process.stdin, 'close')
  const record = readRecord(file)
  if (record !== undefined) await cleanLab(record)
}

main().catch(() => {
  // Nobody is left to hear of it: the record stays, and the next lab cleans up by it.
  process.exitCode = 1
})
