// Commits that change one region, and what is not by a commit.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../../until.ts'
import type { Cluster } from '../lab/cluster.ts'
import { push, since, type Assertions, type Network } from '../network/network.ts'
import { awaitHealthy, stateOf } from '../network/region.ts'

const patient = { deadlineMs: 120_000 }

export async function changeOneRegion(t: Assertions, network: Network): Promise<void> {
  const { lab, say } = network
  const [changed, ...others] = lab.clusters as [Cluster, ...Cluster[]]
  const start = performance.now()
  const commit = await annotate(network, changed, 'one')
  await awaitHealthy(changed, { commit })
  say(`from push to healthy in ${changed.region}: ${since(start)} s`)
  await Promise.all(others.map((cluster) => awaitHealthy(cluster, { commit })))
  t.is(await noteOf(changed), 'one')
  for (const other of others) t.is(await noteOf(other), '')
}

/** Other pods than those that drifted away, ready again. */
export async function healDrift(t: Assertions, { lab, say }: Network): Promise<void> {
  const cluster = lab.cluster('ams3')
  const { kubectl } = cluster
  const before = await lobbyPodsOf(cluster)
  const start = performance.now()
  await kubectl(['-n', 'nats', 'scale', 'deployment/function-lobby', '--replicas=0'])
  await until(
    'drift to be healed',
    async () => {
      const now = await lobbyPodsOf(cluster)
      return (
        now.length === 2 &&
        now.every(([uid, ready]) => ready && !before.some(([old]) => old === uid))
      )
    },
    patient,
  )
  say(`drift was healed after ${since(start)} s`)
  await awaitHealthy(cluster)
  t.pass()
}

/** Their uids, and whether they are ready. */
async function lobbyPodsOf({ kubectl }: Cluster): Promise<[uid: string, isReady: boolean][]> {
  const selected = ['-l', 'app.kubernetes.io/name=function-lobby', '-o', 'json']
  const { items } = JSON.parse(await kubectl(['-n', 'nats', 'get', 'pods', ...selected])) as {
    items: {
      metadata: { uid: string }
      status: { conditions?: { type: string; status: string }[] }
    }[]
  }
  return items.map(({ metadata, status: { conditions = [] } }) => [
    metadata.uid,
    conditions.some(({ type, status }) => type === 'Ready' && status === 'True'),
  ])
}

/** A commit that the API server does not take whole is not taken at all. */
export async function refuseBadManifest(t: Assertions, network: Network): Promise<void> {
  const { lab, operator, say } = network
  const cluster = lab.cluster('ams3')
  const [before, note] = [await podsOf(cluster), await noteOf(cluster)]
  patchOverlay(network, cluster, `${noted('bad')}${threeServers}`)
  await t.throwsAsync(operator.script('validate-manifests'), { message: /\d faults/ })
  await push(network, 'what no API server takes')
  const said = await until(
    'the commit to be refused',
    async () => {
      const { errors } = await stateOf(cluster, 'nats')
      return /replicas/.test(errors) && errors
    },
    patient,
  )
  say(`a bad manifest is refused: ${said}`)
  t.is(await noteOf(cluster), note)
  t.deepEqual(await podsOf(cluster), before)
  await awaitHealthy(cluster, { commit: await annotate(network, cluster, 'good') })
  t.is(await noteOf(cluster), 'good')
  t.deepEqual(await podsOf(cluster), before)
}

const threeServers = `  - target: { kind: StatefulSet }
    patch: '[{"op": "replace", "path": "/spec/replicas", "value": "three"}]'
`

/** A note on the Service of the region's clients, instead of the one before: it restarts nothing. */
export async function annotate(network: Network, cluster: Cluster, note: string): Promise<string> {
  patchOverlay(network, cluster, noted(note))
  return await push(network, 'a note on the clients of one region')
}

function patchOverlay({ operator }: Network, { region }: Cluster, patches: string): void {
  const file = join(operator.folder, 'manifests', 'overlays', region, 'kustomization.yaml')
  const [own = ''] = readFileSync(file, 'utf8').split(/^patches:/m)
  writeFileSync(file, `${own}patches:\n${patches}`)
}

const noted = (note: string): string => `  - target: { kind: Service, name: nats-client }
    patch: '[{"op": "add", "path": "/metadata/annotations", "value": {"note": "${note}"}}]'
`

export const noteOf = ({ kubectl }: Cluster): Promise<string> =>
  kubectl([...ofService, '-o', 'jsonpath={.metadata.annotations.note}'])

const ofService = ['-n', 'nats', 'get', 'service', 'nats-client']

/** Which pods these are, and how often their containers have restarted; jobs come and go. */
async function podsOf({ kubectl }: Cluster): Promise<string[]> {
  const path =
    '{range .items[*]}{.metadata.name} {.metadata.uid} {.status.containerStatuses[*].restartCount}{"\\n"}{end}'
  const said = await kubectl(['-n', 'nats', 'get', 'pods', '-o', `jsonpath=${path}`])
  return said.split('\n').filter((line) => line !== '' && !/^(prove|region-keys)/.test(line))
}
