// A region whose cluster is gone with all that was in it.
import { until } from '../../until.ts'
import { awaitGateways } from './join.ts'
import { isHeard, joinAsMember, speakAt } from '../network/member.ts'
import {
  allHealthy,
  announce,
  joinEverywhere,
  regions,
  since,
  type Assertions,
  type Network,
} from '../network/network.ts'
import { adoptRegion, installPlatform, startRegion } from '../network/region.ts'
import { startTalk } from '../network/talk.ts'

/** A new one takes its place, by the commands of docs/operations.md; the others talk on meanwhile. */
export async function loseAndRebuild(t: Assertions, network: Network): Promise<void> {
  const { lab, operator, authorities, say } = network
  const before = await joinEverywhere(network)
  const talk = await startTalk(before.ams3, before.sgp1, 'chat.KUBECON.posts.General')
  const lost = lab.cluster('sfo2')
  const start = performance.now()
  await lost.delete()
  await awaitGateways(lab.cluster('ams3'), ['ams3', 'sgp1'])
  say(`the cluster of sfo2 is gone, and ams3 knows it after ${since(start)} s`)
  await lost.create()
  await installPlatform(lab, lost, { authorities, report: say })
  await startRegion(operator, lost)
  t.regex(await adoptRegion(lab, operator, lost), /withdr/)
  const adopted = performance.now()
  await announce(network)
  await allHealthy(network)
  for (const cluster of lab.clusters) await awaitGateways(cluster, regions)
  say(`a new one is healthy and in the mesh ${since(adopted)} s after its adoption`)
  t.deepEqual(await talk.end(), [])
  for (const cluster of lab.clusters) {
    const there = await speakAt(lab, operator, { cluster, creds: before.sfo2.creds })
    await until(`${cluster.region} to refuse the lost region's credential`, async () => {
      return !(await isHeard(there))
    })
  }
  const after = await joinAsMember(lab, operator, lost, 'after')
  t.true(await isHeard(after))
}
