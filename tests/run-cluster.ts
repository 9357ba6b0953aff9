// npm run test:cluster: builds what is not in the cache, then runs tests/cluster against it, and says how
// long each part took.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
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
  const clock = partClock(report)
  for (const name of peerNames) {
    await buildPeer(readPeerPin(name, process.env), { environment: process.env, report })
  }
  clock.ends('programs')
  const env = { ...process.env, ARCHIPELAGO_TESTS: 'cluster' }
  const args = [runner, ...process.argv.slice(2)]
  const child = spawn(process.execPath, args, { env, stdio: ['inherit', 'pipe', 'inherit'] })
  createInterface(child.stdout).on('line', (line) => {
    console.log(line)
    clock.hears(line)
  })
  // Ctrl-C reaches it by itself; it stays to clean up, and so does this process.
  process.on('SIGINT', () => {})
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => void child.kill(signal))
  }
  const [code] = (await once(child, 'close')) as [number | null]
  clock.says()
  process.exitCode = code ?? 1
}

/** Of files that run one after the other, told apart by the names of their tests. */
function partClock(report: (line: string) => void) {
  const parts = new Map<string, number>()
  const start = performance.now()
  let last = start
  const ends = (part: string): void => {
    const now = performance.now()
    parts.set(part, (parts.get(part) ?? 0) + now - last)
    last = now
  }
  return {
    ends,
    hears: (line: string) => {
      const [, name = ''] = /^\s*(?:✔|✘ \[fail\]:|(?:not )?ok \d+ -) (.+)/.exec(line) ?? []
      const file = name.split(' › ').slice(0, -1).join('/')
      if (file !== '') ends(file)
    },
    says: () => {
      const whole = performance.now() - start
      for (const [part, tookMs] of [...parts, ['all', whole] as const])
        report(`${(tookMs / 1000).toFixed(0).padStart(5)} s  ${part}`)
    },
  }
}

main().catch((error: unknown) => {
  console.error(`test:cluster: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
})
