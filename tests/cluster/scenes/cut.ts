// A region that is cut from the network, and comes back.
import { until } from '../../until.ts'
import { awaitGateways } from './join.ts'
import { annotate, noteOf } from './change.ts'
import {
  joinEverywhere,
  regions,
  since,
  type Assertions,
  type Network,
} from '../network/network.ts'
import { awaitHealthy } from '../network/region.ts'
import { startTalk } from '../network/talk.ts'

const subject = 'chat.KUBECON.posts.General'

/** What the others say to each other goes on, and one of them can be changed. */
export async function changeWhileCut(t: Assertions, network: Network): Promise<void> {
  const { lab, say } = network
  const { ams3, sfo2, sgp1 } = await joinEverywhere(network)
  const among = await startTalk(ams3, sfo2, subject)
  const cut = performance.now()
  await lab.cut('sgp1')
  await awaitGateways(lab.cluster('ams3'), ['ams3', 'sfo2'])
  say(`ams3 has no gateway to sgp1 ${since(cut)} s after the cut`)
  const start = performance.now()
  const commit = await annotate(network, lab.cluster('ams3'), 'cut off')
  await awaitHealthy(lab.cluster('ams3'), { commit })
  say(`with sgp1 cut, from push to healthy in ams3: ${since(start)} s`)
  t.is(await noteOf(lab.cluster('ams3')), 'cut off')
  t.is(await noteOf(lab.cluster('sgp1')), '')
  await lab.join('sgp1')
  const joined = performance.now()
  for (const cluster of lab.clusters) await awaitGateways(cluster, regions)
  say(`all gateways are back ${since(joined)} s after the line`)
  const back = await startTalk(ams3, sgp1, 'chat.KUBECON.posts.Back')
  await until('sgp1 to hear ams3 again', () => back.heard() > 0)
  t.deepEqual(await back.end(), [])
  t.deepEqual(await among.end(), [])
  await awaitHealthy(lab.cluster('sgp1'), { commit })
}
