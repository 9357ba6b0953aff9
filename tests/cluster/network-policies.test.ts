// The network policies as somebody else's judge sees them: cyclonus, which needs no cluster.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { stringify } from 'yaml'
import { allows, networkPolicies, type Flow, type Peer } from '../../gitops/network-policy.ts'
import { buildOverlay, ends, toFlow, withNodes, type NamedFlow } from '../manifests/flows.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { run } from './lab/run.ts'
import { buildPeer } from './peers/build-peer.ts'
import { readPeerPin } from './peers/pin.ts'

const portsTried = [22, 53, 443, 4222, 6222, 6443, 7422, 7522, 8222, 8443, 8444, 9222, 30_522]

test('cyclonus agrees with our own judge on every flow between every two ends', async (t) => {
  const folder = temporaryFolder(t)
  const policies = networkPolicies(await buildOverlay(withNodes(), folder))
  const flows = everyFlow()
  const own = flows.map((flow) => allows(policies, flow))
  const judged = await askCyclonus(policies, flows, folder)
  t.is(judged.length, flows.length)
  t.true(own.includes(true) && own.includes(false))
  t.deepEqual(flows.filter((_, index) => own[index] !== judged[index]).map(describe), [])
})

function everyFlow(): Flow[] {
  const names = Object.keys(ends) as (keyof typeof ends)[]
  return names.flatMap((from) =>
    names.flatMap((to) => {
      const flows = portsTried.map((port): NamedFlow => [from, to, port])
      return [...flows, [from, to, 53, 'UDP'] as const].map(toFlow)
    }),
  )
}

async function askCyclonus(policies: readonly object[], flows: readonly Flow[], folder: string) {
  const pin = readPeerPin('cyclonus', process.env)
  const report = (line: string): void => console.error(line)
  const peer = await buildPeer(pin, { environment: process.env, report })
  const [policyFolder, trafficFile] = [join(folder, 'policies'), join(folder, 'traffic.json')]
  mkdirSync(policyFolder)
  // Of a file it reads the first document.
  for (const [index, policy] of policies.entries())
    writeFileSync(join(policyFolder, `${index}.yaml`), stringify(policy))
  writeFileSync(trafficFile, JSON.stringify(flows.map(traffic)))
  const args = ['--policy-path', policyFolder, '--traffic-path', trafficFile]
  const said = await run(join(peer, 'bin/cyclonus'), [
    ...['analyze', '--mode', 'query-traffic'],
    ...args,
  ])
  return [...said.matchAll(/IS ALLOWED\?\s*\|\s*(TRUE|FALSE)/gi)].map(
    ([, verdict]) => verdict?.toUpperCase() === 'TRUE',
  )
}

function traffic({ from, to, port, protocol = 'TCP' }: Flow) {
  const ports = 'labels' in to ? (to.ports ?? []) : []
  const { name = '' } = ports.find(({ containerPort }) => containerPort === port) ?? {}
  const ends = { Source: end(from), Destination: end(to) }
  return { ...ends, ResolvedPort: port, ResolvedPortName: name, Protocol: protocol }
}

function end(peer: Peer): object {
  if (!('labels' in peer)) return { IP: peer.address }
  const { namespace, labels, address } = peer
  const NamespaceLabels = { 'kubernetes.io/metadata.name': namespace }
  return { Internal: { PodLabels: labels, NamespaceLabels, Namespace: namespace }, IP: address }
}

const describe = ({ from, to, port, protocol }: Flow) =>
  JSON.stringify([name(from), name(to), port, protocol])
const name = (peer: Peer) => Object.entries(ends).find(([, end]) => end === peer)?.[0]
