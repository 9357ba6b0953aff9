// Rollovers of authorities on real servers, cut off at each of their steps.
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:tls'
import test from 'ava'
import { parseCertificates } from '../../../core/identity/certificate.ts'
import { verifySvid } from '../../../core/identity/svid.ts'
import {
  formatUrl,
  type Endpoint,
  type RegionPlace,
  type ServerPlace,
} from '../../../core/network/endpoint.ts'
import { readBundles } from '../../../store/bundles.ts'
import { join } from 'node:path'
import type { AuthorityPlace } from '../../../core/identity/authority.ts'
import { rollAuthorities, type Rollover } from '../../../laptop/identity/roll-authority.ts'
import { ownerOf, rollRoot } from '../../../laptop/identity/roll-root.ts'
import { requireServed } from '../../../laptop/identity/served.ts'
import { identityPaths } from '../../../laptop/layout.ts'
import { readLeaf } from '../../../laptop/identity/leaves.ts'
import { startSupercluster } from '../../../laptop/supercluster.ts'
import { readIntermediates, readRoots } from '../../../store/authority-files.ts'
import { openFiles } from '../../../store/files.ts'
import { homesOf } from '../../../store/homes.ts'
import { makeBareNetwork } from '../bare-network.ts'

const network = await makeBareNetwork({ regions: 2, servers: 2 })
const { data, archipelago } = network
const homes = homesOf(data)
const supercluster = await startSupercluster(network.options)
test.after.always(async () => {
  await supercluster.stop()
  await network[Symbol.asyncDispose]()
})

const sfo2Urls = supercluster.regions
  .slice(1)
  .flatMap(({ servers }) => servers.map(({ client }) => formatUrl(client)))
const ams3: AuthorityPlace = { region: 'ams3', kind: 'identity', placement: 'laptop' }
const published = (place: AuthorityPlace) => readIntermediates(openFiles(), homes, place)
const roots = () => readRoots(openFiles(), homes, 'identity')

/** Counts confirmations; throws at the one that is named. */
function rollover(cutAt = Infinity): Rollover & { lines: string[] } {
  const lines: string[] = []
  let confirmed = 0
  return {
    ...{ homes, archipelago, nowMs: Date.now, lines },
    report: (line) => lines.push(line),
    confirm: async () => {
      confirmed += 1
      if (confirmed === cutAt) throw new Error('cut off')
      await supercluster.confirm((line) => lines.push(line))
    },
  }
}

test.serial('a region’s authority is replaced, and no process or connection ends', async (t) => {
  const pids = supercluster.pids()
  const client = await network.connect(network.member, sfo2Urls)
  let ends = 0
  void client.closed().then(() => (ends += 1))
  const [before] = published(ams3)
  await rollAuthorities(rollover(), [ams3])
  const [after, ...others] = published(ams3)
  t.deepEqual(others, [])
  t.not(after?.serial, before?.serial)
  t.deepEqual(supercluster.pids(), pids)
  for (const name of ['ams3-0', 'ams3-1', 'ams3-leafnode']) {
    const held = readLeaf({ files: identityPaths(data, { name, region: 'ams3' }) })
    t.is(held?.issuer?.serial, after?.serial)
    await requireServed({ archipelago, doors: [], regions: supercluster.regions, data }, name)
  }
  await client.flush()
  t.is(ends, 0)
  await client.close()
  const anchors = readdirSync(join(data, 'sfo2', 'tls')).filter((name) =>
    /^(trust|mesh)-/.test(name),
  )
  t.is(anchors.length, 2)
})

for (const cutAt of [1, 2, 3])
  test.serial(`cut off before confirmation ${cutAt}, it goes on from there`, async (t) => {
    const [before] = published(ams3)
    await t.throwsAsync(rollAuthorities(rollover(cutAt), [ams3]), { message: 'cut off' })
    await t.notThrowsAsync(supercluster.awaitMesh(1000))
    const [begun] = published(ams3)
    await rollAuthorities(rollover(), [ams3])
    const [after, ...others] = published(ams3)
    t.deepEqual(others, [])
    t.not(after?.serial, before?.serial)
    if (cutAt < 3) t.is(after?.serial, begun?.serial)
    await t.notThrowsAsync(supercluster.awaitMesh(1000))
  })

test.serial('a root is replaced with every authority below it', async (t) => {
  const [before] = roots()
  await rollRoot(ownerOf(rollover()), { kind: 'identity' })
  const [after, ...others] = roots()
  t.deepEqual(others, [])
  t.not(after?.serial, before?.serial)
  for (const { name: region } of archipelago.regions) {
    const [authority, ...more] = published({ ...ams3, region })
    t.deepEqual(more, [])
    t.true(after && authority?.openssl.verify(after.openssl.publicKey))
  }
  await t.notThrowsAsync(supercluster.awaitMesh(1000))
})

test.serial(
  'whoever shows what an old root signed is let in nowhere, although its key is',
  async (t) => {
    const [own, other] = supercluster.regions as [RegionPlace, RegionPlace]
    const [first, second] = own.servers as [ServerPlace, ServerPlace]
    const [abroad] = other.servers as [ServerPlace]
    const listeners: [what: string, at: Endpoint, who: Process, isGreeting: boolean][] = [
      ['route', second.route, first, true],
      ['gateway', abroad.gateway, first, true],
      ['leafnode', second.leafnode, own.leafnode, true],
      ['workload', abroad.workload, first, false],
    ]
    const knock = async (shown: ReadonlyMap<string, Shown>): Promise<string[]> => {
      const admitted = listeners.map(async ([what, at, who, isGreeting]) => {
        const isAdmitted = await mayEnter(at, shown.get(who.name) as Shown, isGreeting)
        return isAdmitted ? [what] : []
      })
      return (await Promise.all(admitted)).flat()
    }
    const all = listeners.map(([what]) => what)
    const show = () =>
      new Map([first, own.leafnode].map((process) => [process.name, read(process)]))
    const before = show()
    t.deepEqual(await knock(before), all)
    await rollRoot(ownerOf(rollover()), { kind: 'identity' })
    t.deepEqual(await knock(before), [])
    const after = show()
    t.deepEqual(await knock(after), all)
    t.is(after.get(first.name)?.key, before.get(first.name)?.key)
    const bundles = readBundles(openFiles(), homes)
    const verify = (shown: Shown | undefined) => () =>
      verifySvid(
        parseCertificates(shown?.certificate ?? '').map(({ der }) => der),
        { bundles, nowMs: Date.now() },
      )
    t.throws(verify(before.get(first.name)), { code: 'ERR_CHAIN_UNTRUSTED' })
    t.notThrows(verify(after.get(first.name)))
  },
)

type Process = Parameters<typeof identityPaths>[1] & { readonly name: string }
interface Shown {
  readonly certificate: string
  readonly key: string
}

function read(process: Process): Shown {
  const { certificate, key } = identityPaths(data, process)
  return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') }
}

/** By what a server says to those whose certificate it takes. */
async function mayEnter(
  { host, port }: Endpoint,
  { certificate: cert, key }: Shown,
  isGreeting: boolean,
): Promise<boolean> {
  const socket = connect({ host, port, cert, key, rejectUnauthorized: false })
  socket.once('secureConnect', () => {
    if (!isGreeting) socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  })
  const { promise, resolve } = Promise.withResolvers<boolean>()
  socket.once('data', () => resolve(true))
  socket.once('error', () => resolve(false))
  socket.once('close', () => resolve(false))
  return promise.finally(() => socket.destroy())
}

for (const cutAt of [1, 2, 3, 4, 5])
  test.serial(`a root cut off before confirmation ${cutAt} goes on from there`, async (t) => {
    const [before] = roots()
    await t.throwsAsync(rollRoot(ownerOf(rollover(cutAt)), { kind: 'identity' }), {
      message: 'cut off',
    })
    await t.notThrowsAsync(supercluster.awaitMesh(1000))
    await rollRoot(ownerOf(rollover()), { kind: 'identity' })
    const [after, ...others] = roots()
    t.deepEqual(others, [])
    t.not(after?.serial, before?.serial)
    await t.notThrowsAsync(supercluster.awaitMesh(1000))
  })

test.serial('a public root is only published at first, where it is asked for', async (t) => {
  const publicRoots = () => readRoots(openFiles(), homes, 'public').length
  await rollRoot(ownerOf(rollover()), { kind: 'public', isOnlyPublished: true })
  t.is(publicRoots(), 2)
  await rollRoot(ownerOf(rollover()), { kind: 'public', isOnlyPublished: true })
  t.is(publicRoots(), 2)
  await rollRoot(ownerOf(rollover()), { kind: 'public' })
  t.is(publicRoots(), 1)
  await t.notThrowsAsync(supercluster.awaitMesh(1000))
})
