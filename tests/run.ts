// npm test: ava in a temporary folder of its own. What the tests leave in it is a failure.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { openRunFolder } from './run-folder.ts'

const ava = fileURLToPath(new URL('../node_modules/ava/entrypoints/cli.js', import.meta.url))

async function main(): Promise<void> {
  const folder = await openRunFolder()
  const env = { ...process.env, ...folder.env }
  const child = spawn(process.execPath, [ava, ...process.argv.slice(2)], { env, stdio: 'inherit' })
  // Ctrl-C reaches ava by itself; this process stays to clean up.
  process.on('SIGINT', () => {})
  for (const signal of ['SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => void child.kill(signal))
  const [code] = (await once(child, 'exit')) as [number | null]
  const left = await folder.close()
  for (const each of left) console.error(`left behind: ${each}`)
  process.exitCode = code === 0 && left.length > 0 ? 1 : (code ?? 1)
}

main().catch((error: unknown) => {
  console.error(`run: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
})
