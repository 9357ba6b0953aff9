// npm test: ava in a temporary folder of its own. What the tests leave in it is a failure.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { readAllCommands } from './docs/command.ts'
import { findUntyped, suiteOf } from './docs/typed.ts'
import type { Typed } from './ran.ts'
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
  const untyped = isWhole(process.argv.slice(2)) ? findUndone(folder.typed()) : []
  const left = (await folder.close()).map((each) => `left behind: ${each}`)
  for (const fault of [...untyped, ...left]) console.error(fault)
  process.exitCode = code === 0 && untyped.length + left.length > 0 ? 1 : (code ?? 1)
}

/** Of some tests one cannot know what the others do. */
const isWhole = (args: readonly string[]): boolean =>
  args.every((arg) => /^--(tap|verbose|concurrency=\d+)$/.test(arg))

/** What README.md and docs/operations.md tell people to do, and no test of this suite did. */
function findUndone(typed: readonly Typed[]): string[] {
  const suite = process.env['ARCHIPELAGO_TESTS'] === 'cluster' ? 'npm run test:cluster' : 'npm test'
  const own = readAllCommands().filter((command) => suiteOf(command) === suite)
  return findUntyped(own, typed).map(
    ({ place, text }) => `no test does what ${place} says: ${text}`,
  )
}

main().catch((error: unknown) => {
  console.error(`run: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
})
