// .ci/run with a stand-in for npm, which ends in ways that the real one should not.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const goodTests = 'echo "# pass 5"; echo "# fail 0"'
const goodChecks = 'echo "4 checks passed, 0 failed"'
const goodClusters = 'echo "# pass 3"; echo "# fail 0"'
const goodBench = 'echo "2 rows measured, 0 failed"'

for (const {
  title,
  tests = goodTests,
  checks = goodChecks,
  clusters = goodClusters,
  bench = goodBench,
  line,
  code = 1,
} of [
  { title: 'all is well', line: '14 passed, 0 failed', code: 0 },
  {
    title: 'a test fails',
    tests: 'echo "# pass 4"; echo "# fail 1"; exit 1',
    line: '13 passed, 1 failed',
  },
  {
    title: 'a check fails',
    checks: 'echo "3 checks passed, 1 failed"; exit 1',
    line: '13 passed, 1 failed',
  },
  {
    title: 'there are no tests',
    tests: 'echo "# pass 0"; echo "# fail 0"',
    line: '9 passed, 1 failed',
  },
  {
    title: 'the tests pass and their runner fails',
    tests: `${goodTests}; exit 1`,
    line: '14 passed, 1 failed',
  },
  { title: 'the tests are killed', tests: 'kill -9 $$', line: '9 passed, 1 failed' },
  { title: 'the checks say nothing', checks: 'exit 0', line: '10 passed, 1 failed' },
  {
    title: 'nothing can be run',
    tests: 'exit 127',
    checks: 'exit 127',
    clusters: 'exit 127',
    bench: 'exit 127',
    line: '0 passed, 4 failed',
  },
  {
    title: 'a cluster does not come up',
    clusters: 'exit 1',
    line: '11 passed, 1 failed',
  },
  {
    title: 'a row cannot be measured',
    bench: 'echo "1 rows measured, 1 failed"; exit 1',
    line: '13 passed, 1 failed',
  },
  { title: 'it is ended itself', tests: 'kill $PPID; exit 0', line: '0 passed, 1 failed' },
]) {
  test(`when ${title}, CI ends with '${line}' and ${code}`, async (t) => {
    const root = mkdtempSync(join(tmpdir(), 'archipelago-ci-'))
    t.teardown(() => rmSync(root, { recursive: true }))
    mkdirSync(join(root, '.ci'))
    cpSync(fileURLToPath(new URL('../.ci/run', import.meta.url)), join(root, '.ci', 'run'))
    const script = `#!/bin/bash
if [ "$1" = test ]; then ${tests}; elif [ "$2" = check ]; then ${checks}
elif [ "$2" = test:cluster ]; then ${clusters}; else ${bench}; fi
`
    writeFileSync(join(root, 'npm'), script, { mode: 0o755 })
    const child = spawn('bash', [join(root, '.ci', 'run')], {
      env: { PATH: `${root}:${process.env['PATH']}` },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const [said] = await Promise.all([text(child.stdout), once(child, 'close')])
    t.is(said.trimEnd().split('\n').at(-1), line)
    t.is(child.exitCode, code)
  })
}
