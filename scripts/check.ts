// All static checks, side by side.
import { fileURLToPath } from 'node:url'
import { Command } from '@commander-js/extra-typings'
import { $ } from 'zx/core'

const root = fileURLToPath(new URL('..', import.meta.url))
const deadline = '400s'

const checks = new Map<string, readonly string[]>([
  ['format', ['prettier', '--check', '--log-level=warn', '.']],
  ['lint', ['oxlint']],
  ['types', ['tsc', '--noEmit']],
  ['dead code', ['knip', '--no-progress', '--treat-config-hints-as-errors']],
])

async function main(): Promise<void> {
  new Command('check')
    .description('Check format, lint, types and dead code. Exits with 1 when one of them fails.')
    .parse()
  const passed = await Promise.all([...checks].map(([name, command]) => runCheck(name, command)))
  const failed = passed.filter((isPassed) => !isPassed).length
  console.log(`${passed.length - failed} checks passed, ${failed} failed`)
  if (failed > 0) process.exitCode = 1
}

async function runCheck(name: string, command: readonly string[]): Promise<boolean> {
  const start = performance.now()
  const run = $({ cwd: root, preferLocal: root, nothrow: true, quiet: true, timeout: deadline })
  const { ok, stdall } = await run`${command}`
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(`${ok ? '✔' : '✘'} ${name.padEnd(10)} ${seconds} s`)
  if (!ok) console.log(stdall.trim().replaceAll(/^/gm, '  '))
  return ok
}

main().catch((error: unknown) => {
  console.error(`check: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
})
