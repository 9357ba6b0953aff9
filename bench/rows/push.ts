// From `git push` until every region runs the commit and has proven it, in three real clusters.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { labObstacle } from '../../tests/cluster/lab/lab.ts'
import { allHealthy, openNetwork, push as pushTo } from '../../tests/cluster/network/network.ts'
import { joinAll } from '../../tests/cluster/scenes/join.ts'
import type { Bench, Figure, Row } from '../row.ts'

export const push: Row = {
  name: 'push',
  what: 'from git push to three healthy regions',
  isByName: true,
  measure,
}

async function measure(bench: Bench): Promise<Figure[]> {
  const obstacle = labObstacle()
  if (obstacle !== undefined) throw new Error(obstacle)
  const network = await openNetwork(bench.report)
  try {
    await joinAll(network)
    const base = join(network.operator.folder, 'manifests', 'base', 'server', 'service.yaml')
    const text = readFileSync(base, 'utf8')
    const samples: number[] = []
    for (let round = 0; round < bench.rounds(5); round += 1) {
      const annotated = `metadata:\n  annotations: { round: 'r${round}' }`
      writeFileSync(base, text.replace(/^metadata:$/m, annotated))
      const started = performance.now()
      const commit = await pushTo(network, `round ${round}`)
      await allHealthy(network, commit)
      samples.push(performance.now() - started)
    }
    const what = 'a change of the base, pushed, with a refresh as a webhook asks for it'
    return [{ what, unit: 'ms', samples, target: { atMost: 60_000 } }]
  } finally {
    await network.stop()
  }
}
