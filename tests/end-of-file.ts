// A file whose tests are done does not hold up the run: what keeps it alive is told, and it is ended.
// What it started is another matter, which tests/run.ts looks after.
import { writeSync } from 'node:fs'
import test, { registerCompletionHandler } from 'ava'

const patienceMs = 5_000

registerCompletionHandler(() => {
  const end = (): void => {
    const reasons = process.getActiveResourcesInfo().join(', ')
    writeSync(2, `${test.meta.file} does not end by itself: ${reasons}\n`)
    process.exit()
  }
  setTimeout(end, patienceMs).unref()
})
