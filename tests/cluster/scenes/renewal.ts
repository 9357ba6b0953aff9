// Certificates that cert-manager issues anew while people talk.
import { X509Certificate } from 'node:crypto'
import { until } from '../../until.ts'
import type { Cluster } from '../lab/cluster.ts'
import { monitor, serversOf } from '../network/gateways.ts'
import { joinEverywhere, since, type Assertions, type Network } from '../network/network.ts'
import { startTalk } from '../network/talk.ts'

/** Which certificate is behind which listener, as the servers tell it on their monitoring ports. */
const listeners = [
  ['svid-nats-server', (varz: Varz) => varz.gateway?.tls_cert_not_after],
  ['svid-nats-server', (varz: Varz) => varz.cluster?.tls_cert_not_after],
  ['public-nats-server', (varz: Varz) => varz.tls_cert_not_after],
] as const

interface Varz {
  readonly tls_cert_not_after?: string
  readonly gateway?: { readonly tls_cert_not_after?: string }
  readonly cluster?: { readonly tls_cert_not_after?: string }
}

/** As `cmctl renew` does it. No server restarts, and nobody misses a number. */
export async function renewWhileTalking(t: Assertions, network: Network): Promise<void> {
  const { lab, say } = network
  const { ams3, sfo2 } = await joinEverywhere(network)
  const cluster = lab.cluster('ams3')
  const talk = await startTalk(ams3, sfo2, 'chat.KUBECON.posts.General')
  const restarts = await restartsOf(cluster)
  const start = performance.now()
  for (const name of new Set(listeners.map(([each]) => each))) await renew(cluster, name)
  say(`cert-manager has issued anew after ${since(start)} s`)
  await until('every listener to show what is new', () => areNew(cluster), { deadlineMs: 180_000 })
  say(`every listener of ams3 shows the new certificate after ${since(start)} s`)
  const heard = talk.heard()
  await until('the talk to go on', () => talk.heard() > heard + 50)
  t.deepEqual(await talk.end(), [])
  t.is(await restartsOf(cluster), restarts)
}

async function renew(cluster: Cluster, name: string): Promise<void> {
  const { kubectl } = cluster
  const old = (await certificateOf(cluster, name)).serialNumber
  const condition = {
    type: 'Issuing',
    status: 'True',
    reason: 'ManuallyTriggered',
    message: 'asked for by a test',
    lastTransitionTime: new Date().toISOString(),
  }
  const patch = JSON.stringify([{ op: 'add', path: '/status/conditions/-', value: condition }])
  const asked = ['--subresource=status', '--type=json', '--patch', patch]
  await kubectl(['-n', 'nats', 'patch', 'certificate', name, ...asked])
  await until(
    `${name} to be issued anew`,
    async () => (await certificateOf(cluster, name)).serialNumber !== old,
  )
}

async function areNew(cluster: Cluster): Promise<boolean> {
  const ends = new Map<string, number>()
  for (const [name] of listeners)
    ends.set(name, Date.parse((await certificateOf(cluster, name)).validTo))
  const shown = await Promise.all(
    serversOf(cluster).map((server) => monitor(cluster, server, 'varz') as Promise<Varz>),
  )
  return shown.every((varz) =>
    listeners.every(([name, endOf]) => Date.parse(endOf(varz) ?? '') === ends.get(name)),
  )
}

/** What is in the Secret that the pods mount. */
async function certificateOf({ kubectl }: Cluster, name: string): Promise<X509Certificate> {
  const path = String.raw`jsonpath={.data.tls\.crt}`
  const text = await kubectl(['-n', 'nats', 'get', 'secret', name, '-o', path])
  return new X509Certificate(Buffer.from(text, 'base64'))
}

async function restartsOf({ region, kubectl }: Cluster): Promise<string> {
  const path = '{.items[*].status.containerStatuses[*].restartCount}'
  const own = `app.kubernetes.io/name=nats,app.kubernetes.io/instance=${region}`
  return await kubectl(['-n', 'nats', 'get', 'pods', '-l', own, '-o', `jsonpath=${path}`])
}
