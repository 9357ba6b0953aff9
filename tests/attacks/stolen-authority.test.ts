// A thief has the key of ams3's authority and makes identities of sfo2 with it. Listeners are asked
// without pins, which refuse any key that they do not know: what is tried here holds without them.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import test from 'ava'
import { authorityProfile } from '../../core/identity/authority.ts'
import { formatCertificates, type Certificate } from '../../core/identity/certificate.ts'
import { verifyChain } from '../../core/identity/chain.ts'
import { issueAuthority, issueLeaf, type Issuer } from '../../core/identity/issue.ts'
import type { Subtrees } from '../../core/identity/name-constraints.ts'
import { parseSpiffeId } from '../../core/identity/spiffe-id.ts'
import { verifySvid } from '../../core/identity/svid.ts'
import { formatConfiguration } from '../../core/network/configuration.ts'
import type { RegionPlace } from '../../core/network/endpoint.ts'
import { planNetwork, writePlan } from '../../laptop/configurations.ts'
import { runDirectory } from '../../laptop/layout.ts'
import { readLoaded } from '../../laptop/monitor.ts'
import { superviseProcesses } from '../../laptop/supervisor.ts'
import { readIntermediates } from '../../store/authority-files.ts'
import { formatPrivateKey } from '../../store/authority-keys.ts'
import { readBundles } from '../../store/bundles.ts'
import { openFiles, writePrivate } from '../../store/files.ts'
import { homesOf } from '../../store/homes.ts'
import { readIntermediate } from '../../store/intermediate.ts'
import { readRoot } from '../../store/root.ts'
import { hearListener, type Shown } from '../hear-listener.ts'
import { makeBareNetwork } from '../laptop/bare-network.ts'
import { until } from '../until.ts'

const network = await makeBareNetwork({ regions: 2, servers: 1 })

const { data, archipelago, options } = network
const homes = homesOf(data)
const plan = await planNetwork(data, options)
writePlan(data, plan)
const nowMs = Date.now()
const store = { files: openFiles(), homes, archipelago, nowMs }
const ams3 = { region: 'ams3', kind: 'identity', placement: 'laptop' } as const
const stolen = readIntermediate(store, ams3) as Issuer
const [sfo2] = readIntermediates(store.files, homes, { ...ams3, region: 'sfo2' })
const victim = plan.regions.find(({ name }) => name === 'sfo2') as RegionPlace
const [server] = victim.servers
test.after.always(() => network[Symbol.asyncDispose]())

const own = 'spiffe://ams3.archipelago.example/nats/server-0'
const forgeries = [
  {
    by: 'URI',
    constraint: 'uris',
    code: 'ERR_CHAIN_NAME_URI',
    leaf: { id: 'spiffe://sfo2.archipelago.example/nats/server-0', dns: [], ips: [] },
  },
  {
    by: 'DNS name',
    constraint: 'dns',
    code: 'ERR_CHAIN_NAME_DNS',
    leaf: { id: own, dns: ['sfo2-0.sfo2.archipelago.example'], ips: [] },
  },
  {
    by: 'IP address',
    constraint: 'ips',
    code: 'ERR_CHAIN_NAME_IP',
    leaf: { id: own, dns: [], ips: ['203.0.113.7'] },
  },
] as const

interface Leaf {
  readonly id: string
  readonly dns: readonly string[]
  readonly ips: readonly string[]
}

const listeners = ['route', 'gateway', 'leafnode', 'workload'] as const
const admitted = /^(INFO |HTTP\/1\.1 400 )/

const isOfAllRegions = (listener: (typeof listeners)[number]) =>
  listener === 'gateway' || listener === 'workload'

interface Minted extends Shown {
  readonly chain: readonly Certificate[]
}

async function mint(leaf: Leaf, issuer: Issuer): Promise<Minted> {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const profile = { ...leaf, id: parseSpiffeId(leaf.id) }
  const made = await issueLeaf(pair.publicKey, profile, {
    ...{ issuer, commonName: 'thief', nowMs, lifetimeSeconds: 3600, serial: randomBytes(16) },
  })
  const chain = [made, issuer.certificate]
  return { chain, cert: formatCertificates(chain), key: formatPrivateKey(pair.privateKey) }
}

/** ams3's authority as it would be without one of its limits, for the same key. */
async function weaken(constraint: keyof Subtrees): Promise<Issuer> {
  const { trustDomain, nameConstraints } = authorityProfile(archipelago, ams3)
  const permitted = { ...nameConstraints.permitted, [constraint]: [] }
  const profile = {
    ...(trustDomain !== undefined && { trustDomain }),
    nameConstraints: { ...nameConstraints, permitted },
  }
  const certificate = await issueAuthority(stolen.certificate.openssl.publicKey, profile, {
    issuer: await readRoot(store, 'identity'),
    ...{ commonName: 'ams3', nowMs, lifetimeSeconds: 86_400, serial: randomBytes(16) },
  })
  return { certificate, key: stolen.key }
}

interface Trusted {
  readonly own: string
  readonly mesh: string
}

/** The server of sfo2 as it runs, but for its pins, and with these files of authorities. */
async function startVictim(trusted?: Trusted): Promise<AsyncDisposable> {
  const planned = plan.servers.find(({ name }) => name === 'sfo2-0')
  if (planned === undefined) throw new Error('no server')
  const changed = (block: string, of: keyof Trusted) => {
    const value = Object(planned.configuration[block])
    const { pinned_certs: _, ...tls } = value.tls
    return { [block]: { ...value, tls: { ...tls, ...(trusted && { ca_file: trusted[of] }) } } }
  }
  const configuration = {
    ...planned.configuration,
    ...{ ...changed('cluster', 'own'), ...changed('leafnodes', 'own') },
    ...{ ...changed('gateway', 'mesh'), ...changed('websocket', 'mesh') },
  }
  writePrivate(planned.file, formatConfiguration(configuration, 'without pins'))
  const supervisor = superviseProcesses({ runDirectory: runDirectory(data), onExit: () => {} })
  const { name, file, log, monitor } = planned
  const { natsServer: command } = options
  supervisor.start({ name, log, command, args: ['-c', file], mark: file })
  await until('the server runs', () => readLoaded(monitor))
  return supervisor
}

const hear = (listener: (typeof listeners)[number], shown?: Shown) =>
  hearListener(server?.[listener] as never, formatCertificates([sfo2 as Certificate]), {
    ...shown,
    asks: listener === 'workload',
  })

const purposes = ['serverAuth', 'clientAuth'] as const
const verify = ({ chain }: Minted, ams3Authority: Certificate) =>
  verifyChain(chain, [ams3Authority, sfo2 as Certificate], { nowMs, purposes })

test.serial(
  'a region’s listeners: its own identities everywhere, ams3’s as gateways and workloads',
  async (t) => {
    await using _ = await startVictim()
    const genuine = await mint({ id: own, dns: [], ips: ['127.0.0.1'] }, stolen)
    const place = { ...ams3, region: 'sfo2' } as const
    const id = 'spiffe://sfo2.archipelago.example/nats/server-7'
    const neighbour = await mint(
      { id, dns: [], ips: ['127.0.0.1'] },
      readIntermediate(store, place) as Issuer,
    )
    for (const listener of listeners) {
      t.regex(await hear(listener, neighbour), admitted, listener)
      const heard = await hear(listener, genuine)
      if (isOfAllRegions(listener)) t.regex(heard, admitted, listener)
      else t.is(heard, '', listener)
    }
  },
)

for (const { by, code, leaf } of forgeries)
  test.serial(
    `an identity of sfo2 by ${by} is refused by every listener and our verifier`,
    async (t) => {
      await using _ = await startVictim()
      const forged = await mint(leaf, stolen)
      for (const listener of listeners) t.is(await hear(listener, forged), '', listener)
      t.throws(() => verify(forged, stolen.certificate), { code })
      const ders = forged.chain.map(({ der }) => der)
      const bundles = readBundles(store.files, homes)
      const isOther = by === 'URI'
      t.throws(() => verifySvid(ders, { bundles, nowMs }), {
        code: isOther ? 'ERR_CHAIN_UNTRUSTED' : code,
      })
    },
  )

for (const { by, constraint, leaf } of forgeries)
  test.serial(
    `taken out, the limit on ${constraint}: an identity by ${by} is let in`,
    async (t) => {
      const weak = await weaken(constraint)
      // Routes and leafnodes do not know ams3's authority at all: that is taken out, too.
      const file = join(data, `weak-${constraint}.pem`)
      writePrivate(file, formatCertificates([weak.certificate, sfo2 as Certificate]))
      await using _ = await startVictim({ own: file, mesh: file })
      const forged = await mint(leaf, weak)
      for (const listener of listeners) t.regex(await hear(listener, forged), admitted, listener)
      t.is(verify(forged, weak.certificate).length, 2)
      // The other limits still hold.
      for (const other of forgeries.filter((each) => each.constraint !== constraint)) {
        const refused = await mint(other.leaf, weak)
        for (const listener of listeners.filter(isOfAllRegions))
          t.is(await hear(listener, refused), '', other.by)
      }
    },
  )

test.serial('the thief cannot give his authority other limits: only the root could', async (t) => {
  await using _ = await startVictim()
  for (const { by, constraint, leaf } of forgeries) {
    const forged = await mint(leaf, await weaken(constraint))
    // Even had the root signed it: the listener knows the authority as it was published.
    for (const listener of listeners.filter(isOfAllRegions))
      t.is(await hear(listener, forged), '', by)
    t.throws(() => verify(forged, stolen.certificate))
  }
})
