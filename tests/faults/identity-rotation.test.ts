// Certificates that live for seconds in three regions, and a rollover of both roots, with everything at
// work meanwhile: members and workloads of each region speak to all regions, and ask its functions.
// Nobody may notice.
import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { authorityKinds, type AuthorityKind } from '../../core/identity/authority.ts'
import { parseCertificate } from '../../core/identity/certificate.ts'
import {
  expectedPeers,
  handshakeMode,
  type ExpectedPeer,
} from '../../core/identity/expected-peers.ts'
import { openDoors } from '../../core/network/access-subject.ts'
import { ownerOf, rollRoot } from '../../laptop/identity/roll-root.ts'
import { peerChain } from '../../nats/handshake.ts'
import { readIntermediates, readRoots } from '../../store/authority-files.ts'
import { openFiles } from '../../store/files.ts'
import { startTestNetwork, type TestNetwork } from '../test-network.ts'
import { until } from '../until.ts'
import { since } from './soak-record.ts'
import { announce, askAgainAndAgain, join, post } from './soak-traffic.ts'

/** SOAK_SECONDS: so long at least. */
const soakMs = Number(process.env['SOAK_SECONDS'] ?? 0) * 1_000
// The alarm sounds at a quarter of it: a busy machine may keep a renewal waiting for some seconds.
const leafLifetimeSeconds = 20
/** Of every process and kind: one by the rollover, all others at half of their lives. */
const renewalsMin = 4
const files = openFiles()

const alarms: string[] = []
let network: TestNetwork
test.before(async () => {
  network = await startTestNetwork(undefined, undefined, {
    change: (read) => ({
      ...read,
      regions: read.regions.map((region) => ({ ...region, servers: 2 })),
      identity: { leafLifetimeSeconds },
    }),
    report: (line) => alarms.push(line),
  })
})
test.after.always(() => network?.[Symbol.asyncDispose]())

const regions = (): string[] => network.archipelago.regions.map(({ name }) => name)

/** What is trusted at the moment: roots, and the authorities of all regions. */
function trusted(kind: AuthorityKind): string {
  const { homes } = network
  const roots = readRoots(files, homes, kind)
  const authorities = regions().flatMap((region) =>
    readIntermediates(files, homes, { kind, region }),
  )
  return `${roots.length} roots, ${authorities.length} authorities`
}

/** Whether a listener shows a leaf of an authority that the newest root of its kind has signed. */
async function isOfNewest({
  id,
  endpoint: { host, port },
  ...peer
}: ExpectedPeer): Promise<boolean> {
  const { chain } = await peerChain({ host, port, mode: handshakeMode(peer) })
  const [leaf, authority] = chain.map(parseCertificate)
  const [root] = readRoots(files, network.homes, id === undefined ? 'public' : 'identity')
  if (leaf === undefined || authority === undefined || root === undefined) return false
  const isOfRoot = authority.openssl.verify(root.openssl.publicKey)
  return isOfRoot && leaf.openssl.verify(authority.openssl.publicKey)
}

const sum = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((one, other) => one + other, 0)

/** Servers and functions have certificates of both kinds. */
const isRenewed = (issued: ReadonlyMap<string, number>, names: readonly string[]): boolean =>
  names.every((name) => {
    const kinds = name.endsWith('-leafnode') ? 1 : 2
    return (issued.get(name) ?? 0) >= kinds * renewalsMin
  })

test('dozens of renewals and two roots: no message is missing, and nobody is refused', async (t) => {
  t.timeout(90_000 + soakMs)
  const members = await Promise.all(regions().map((region) => join(network, region)))
  const stop = new AbortController()
  t.teardown(() => stop.abort())
  const announcers = await Promise.all(
    regions().map((region) => announce(network, region, stop.signal)),
  )
  const posting = [
    ...members.map(({ region, connection: nc }) => ({
      subject: `chat.KUBECON.posts.member-${region}`,
      nc,
    })),
    ...announcers.map(({ region, connection: nc }) => ({
      subject: `chat.KUBECON.posts.workload-${region}`,
      nc,
    })),
  ]
  t.teardown(() => Promise.all(posting.map(({ nc }) => nc.close())))
  await until('interest has spread', async () => {
    for (const { subject, nc } of posting) nc.publish(subject, '-1')
    await delay(25)
    return members.every(({ heard }) => posting.every(({ subject }) => heard.has(subject)))
  })
  for (const { nc } of posting) await nc.flush()
  await delay(25)
  const began = performance.now()
  const record = since(network)
  const pids = new Map([...network.supercluster.pids(), ...network.functions.pids()])
  const posted = posting.map(({ subject, nc }) =>
    post(subject, (...message) => nc.publish(...message), stop.signal),
  )
  const asked = regions().map((region) => askAgainAndAgain(network, region, stop.signal))

  const steps: string[] = []
  const { homes, archipelago, supercluster } = network
  for (const kind of authorityKinds)
    await rollRoot(
      ownerOf({
        ...{ homes, archipelago, nowMs: Date.now, report: () => {} },
        confirm: async () => {
          await supercluster.confirm(() => {})
          await Promise.all(announcers.map((announcer) => announcer.renew()))
          steps.push(`${kind}: ${trusted(kind)}`)
        },
      }),
      { kind },
    )
  await until(
    'every process is renewed again and again',
    () => isRenewed(record.issued(), [...pids.keys()]) && performance.now() - began > soakMs,
    { deadlineMs: 60_000 + soakMs },
  )
  stop.abort()
  const sent = new Map(await Promise.all(posted))
  const answers = await Promise.all(asked)
  await until(
    'the last messages',
    () =>
      members.every(({ heard }) =>
        [...sent].every(([subject, count]) => heard.get(subject)?.at(-1) === count - 1),
      ),
    // What is missing is said below.
  ).catch(() => {})

  for (const { region, heard } of members)
    for (const [subject, count] of sent)
      t.deepEqual(
        heard.get(subject)?.filter((number) => number >= 0),
        Array.from({ length: count }, (_, number) => number),
        `${subject}, heard in ${region}`,
      )
  t.deepEqual(
    members.flatMap(({ losses }) => losses),
    [],
  )
  t.deepEqual(
    announcers.flatMap(({ failures }) => failures),
    [],
  )
  t.deepEqual(
    answers.flatMap(({ failures }) => failures),
    [],
  )
  t.deepEqual(record.faults(), [])
  t.deepEqual(record.refusals(), [])
  t.deepEqual(alarms, [])
  t.deepEqual(new Map([...network.supercluster.pids(), ...network.functions.pids()]), pids)
  for (const kind of authorityKinds)
    t.deepEqual(
      steps.filter((step) => step.startsWith(kind)),
      [
        `${kind}: 2 roots, 3 authorities`,
        `${kind}: 2 roots, 6 authorities`,
        `${kind}: 2 roots, 6 authorities`,
        `${kind}: 2 roots, 3 authorities`,
        `${kind}: 1 roots, 3 authorities`,
      ],
    )
  const peers = expectedPeers(archipelago, supercluster.regions, openDoors(archipelago.roles))
  for (const peer of peers) t.true(await isOfNewest(peer), `${peer.name}, ${peer.listener}`)
  const renewals = [...record.issued()].filter(([name]) => pids.has(name))
  t.true(sum(new Map(renewals)) >= 36)
  t.log(`${sum(new Map(renewals))} certificates for ${pids.size} processes`)
  t.log(`${sum(record.reloads())} reloads of ${record.reloads().size} servers`)
  t.log(`${sum(sent)} messages, ${answers.map(({ answered }) => answered).join(' + ')} answers`)
})
