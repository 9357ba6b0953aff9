// npm run test:cluster: builds what is not in the cache, then runs tests/cluster against it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { labObstacle } from './cluster/lab/lab.ts'
import { buildPeer } from './cluster/peers/build-peer.ts'
import { peerNames } from './cluster/peers/peers.ts'
import { readPeerPin } from './cluster/peers/pin.ts'

const runner = fileURLToPath(new URL('run.ts', import.meta.url))

async function main(): Promise<void> {
  const obstacle = labObstacle()
  if (obstacle !== undefined) throw new Error(obstacle)
  const report = (line: string): void => console.error(`test:cluster: ${line}`)
  for (const name of peerNames) {
    await buildPeer(readPeerPin(name, process.env), { environment: process.env, report })
  }
  const env = { ...process.env, ARCHIPELAGO_TESTS: 'cluster' }
  const args = [runner, ...process.argv.slice(2)]
  const child = spawn(process.execPath, args, { env, stdio: 'inherit' })
  // Ctrl-C reaches it by itself; it stays to clean up, and so does this process.
  process.on('SIGINT', () => {})
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => void child.kill(signal))
  }
  const [code] = (await once(child, 'exit')) as [number | null]
  process.exitCode = code ?? 1
}

main().catch((error: unknown) => {
  console.error(`test:cluster: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
})
