// The whole, as an operator with three clusters does it: push, two steps a region, and watch.
import test, { type ExecutionContext } from 'ava'
import { leftOf } from './left-of.ts'
import { openNetwork, type Network } from './network/network.ts'
import { changeOneRegion, healDrift, refuseBadManifest } from './scenes/change.ts'
import { heardEverywhere } from './scenes/credentials.ts'
import { changeWhileCut } from './scenes/cut.ts'
import { firstRegionAlone, othersJoin } from './scenes/join.ts'
import { loseAndRebuild } from './scenes/lost-cluster.ts'
import { promoteThroughRegions, rollBackAcrossRevocation } from './scenes/promotion.ts'
import { renewWhileTalking } from './scenes/renewal.ts'

let network: Network

test.before('three clusters as they are before us, and a pushed repository', async (t) => {
  network = await openNetwork(timed(t))
})

test.after.always('nothing is left', async (t) => {
  const { id } = network.lab
  await network.stop()
  t.deepEqual(leftOf(id), [])
})

for (const [title, scene] of [
  ['the first region becomes healthy before the others exist', firstRegionAlone],
  ['the others join, and nine servers are one supercluster', othersJoin],
  ['each region hands out credentials, and what one says all hear', heardEverywhere],
  ['what changes one region reaches that one alone', changeOneRegion],
  ['drift is healed', healDrift],
  ['a bad manifest is refused, and what runs is not touched', refuseBadManifest],
  ['certificates are renewed, and nobody misses a message', renewWhileTalking],
  ['with one region cut another can be changed, and the cut one comes back', changeWhileCut],
  ['a change of what all share goes from region to region', promoteThroughRegions],
  ['going back gives nobody back what was revoked', rollBackAcrossRevocation],
  ['a cluster is lost and made anew, and the others do not stop', loseAndRebuild],
] as const)
  test.serial(title, (t) => scene(t, network))

/** Heard also while the tests run, for they run for minutes. */
function timed(t: ExecutionContext): (line: string) => void {
  const start = performance.now()
  return (line) => {
    const text = `${((performance.now() - start) / 1000).toFixed(0).padStart(4)} s  ${line}`
    t.log(text)
    console.error(text)
  }
}
