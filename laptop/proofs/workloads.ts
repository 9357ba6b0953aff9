// Where workloads come: who gets in, and who does not.
import type { Network } from '../../core/access/network-file.ts'
import type { Creds } from '../../core/trust/creds.ts'
import { requestCertificate } from '../../core/identity/csr.ts'
import { workloadId } from '../../core/identity/names.ts'
import { formatUrl } from '../../core/network/endpoint.ts'
import { connectWithCreds, type NatsConnection } from '../../nats/connect.ts'
import type { Workload } from '../../nats/mutual-tls.ts'
import { mayPublish } from '../../nats/permission.ts'
import { workloadTarget } from '../../nats/workload-target.ts'
import { exchangeSvid } from '../../requestor/exchange-svid.ts'
import { formatPrivateKey, makeAuthorityKey } from '../../store/authority-keys.ts'
import { readBundles } from '../../store/bundles.ts'
import { openFiles } from '../../store/files.ts'
import { makeNkeyPair } from '../../store/key-file.ts'
import { recordSvid, signSvid } from '../../store/svid.ts'
import type { RunningNetwork } from '../network.ts'
import { formatMs } from '../table.ts'
import { requestFrom } from './credentials.ts'
import { measure, subject } from './messages.ts'
import { prove, refusedWith, type Proof } from './proof.ts'

const lifetimeSeconds = 600

interface Named {
  readonly region: string
  readonly name: string
}

interface Tried {
  readonly network: Network
  /** That anyone may have. */
  readonly role: string
  /** By region. */
  readonly members: ReadonlyMap<string, NatsConnection>
}

/** In the first region, with a certificate that is made for it; and as every workload that a role names. */
export function proveWorkloads(
  running: RunningNetwork,
  { network, role, members }: Tried,
): Promise<Proof[]> {
  const region = running.archipelago.regions[0]?.name ?? ''
  const prover = { region, name: 'prover' }
  const member = async (): Promise<Creds> =>
    (await requestFrom(network, { role, name: 'prover', region })).creds
  return Promise.all([
    prove('nobody comes where workloads do without a certificate', async () => {
      const nobody = { certificate: '', key: '', bundles: bundlesOf(running) }
      const creds = await member()
      return refusedWith('ERR_CONNECT', () => come(running, { workload: nobody, region, creds }))
    }),
    prove('a member does not, beside the certificate of a workload', async () => {
      const [creds, workload] = await Promise.all([member(), makeWorkload(running, prover)])
      return refusedWith('ERR_CONNECT', () => come(running, { workload, region, creds }))
    }),
    ...workloadsOf(running).map((one) => proveWorkload(running, { network, members }, one)),
  ])
}

/** Those whom some role of archipelago.yaml names by their certificate. */
function workloadsOf({ archipelago }: RunningNetwork): (Named & { readonly role: string })[] {
  return archipelago.roles.flatMap(({ name: role, identity }) =>
    identity.flatMap(({ spiffeId }) => {
      const name = spiffeId?.split('/').at(-1) ?? ''
      const isOf = (region: string): boolean =>
        spiffeId === workloadId(archipelago, { region, name })
      return archipelago.regions
        .filter(({ name: region }) => name !== '' && isOf(region))
        .map(({ name: region }) => ({ region, name, role }))
    }),
  )
}

function proveWorkload(
  running: RunningNetwork,
  { network, members }: Omit<Tried, 'role'>,
  { role, ...named }: Named & { readonly role: string },
): Promise<Proof> {
  const { region, name } = named
  return prove(`${region}: the workload ${name} comes in by its certificate`, async () => {
    const workload = await makeWorkload(running, named)
    const pair = makeNkeyPair('user')
    const { creds, tookMs } = await exchangeSvid({ network, role, region, workload, pair })
    const hearer = [...members].find(([other]) => other !== region)
    const heard = await come(running, { workload, region, creds, hearer })
    const { iat, exp = 0 } = creds.user.claims
    return { observed: `${role} for ${exp - iat} s${heard}`, isProven: true, tookMs }
  })
}

const bundlesOf = ({ homes }: RunningNetwork) => readBundles(openFiles(), homes)

/** As request-svid and issue-svid do it. */
async function makeWorkload(running: RunningNetwork, { region, name }: Named): Promise<Workload> {
  const { archipelago, homes } = running
  const { privateKey } = makeAuthorityKey()
  const store = { files: openFiles(), homes, archipelago, nowMs: Date.now() }
  const place = { region, kind: 'identity', placement: 'laptop' } as const
  const request = requestCertificate(privateKey)
  const signed = await signSvid(store, place, { workload: name, request, lifetimeSeconds })
  recordSvid(store, region, signed)
  return {
    certificate: signed.chain,
    key: formatPrivateKey(privateKey),
    bundles: bundlesOf(running),
  }
}

interface Coming {
  readonly workload: Workload
  readonly region: string
  readonly creds: Creds
  /** Of another region. */
  readonly hearer?: readonly [region: string, member: NatsConnection] | undefined
}

/** Connects, and says what was heard elsewhere of what it may say. */
async function come(
  { supercluster }: RunningNetwork,
  { workload, region, creds, hearer }: Coming,
): Promise<string> {
  const places = supercluster.regions.filter(({ name }) => name === region)
  const servers = places.flatMap(({ servers: all }) =>
    all.map((server) => formatUrl(server.workload, 'wss')),
  )
  const options = { reconnect: false, maxReconnectAttempts: 0 }
  const target = workloadTarget(workload, { servers, name: 'prover', options })
  const nc = await connectWithCreds(target, () => creds)
  try {
    if (hearer === undefined || !(await mayPublish(nc, subject))) return ''
    const [other, member] = hearer
    const tookMs = await measure(nc, member, `from a workload of ${region}`)
    return `; heard in ${other} after ${formatMs(tookMs)}`
  } finally {
    await nc.close()
  }
}
