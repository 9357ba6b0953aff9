// Waits until a region runs a commit and has proven it.
import { setTimeout as sleep } from 'node:timers/promises'
import { Refusal } from '../../core/errors.ts'
import { judgeApplication, type Verdict } from '../../gitops/application.ts'
import type { Commit } from '../../gitops/revision.ts'
import type { Watched } from './watched.ts'

const pollMs = 1000

interface Waiting {
  readonly watched: Watched
  readonly timeoutMs: number
  readonly report: (line: string) => void
}

/** The last verdict: proven, failed, or whatever held it up at the end. */
export async function awaitProven(
  region: string,
  commit: Commit,
  { watched, timeoutMs, report }: Waiting,
): Promise<Verdict> {
  const end = performance.now() + timeoutMs
  let shown = ''
  await tryTo(() => watched.hurry(region))
  for (;;) {
    const verdict = await judge(region, commit, watched)
    if (verdict.why !== shown) report(`• ${region}: ${verdict.why}`)
    shown = verdict.why
    if (verdict.state === 'proven' || verdict.state === 'failed') return verdict
    if (performance.now() > end) return verdict
    if (verdict.state === 'blocked') await tryTo(() => watched.endSync(region))
    if (verdict.state === 'unproven') await tryTo(() => watched.beginSync(region, commit))
    await sleep(pollMs)
  }
}

async function judge(region: string, commit: Commit, watched: Watched): Promise<Verdict> {
  try {
    return judgeApplication(await watched.read(region), commit)
  } catch (error) {
    if (error instanceof Refusal) return { state: 'waiting', why: error.message }
    throw error
  }
}

/** A cluster that is out of reach, or an object that somebody changed meanwhile: there is a next time. */
async function tryTo(act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
  }
}
