// Certificates that live for seconds, renewed on real servers.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import test from 'ava'
import type { Refusal } from '../../../core/errors.ts'
import { expectedPeers, handshakeMode } from '../../../core/identity/expected-peers.ts'
import { parseCertificates } from '../../../core/identity/certificate.ts'
import { formatUrl } from '../../../core/network/endpoint.ts'
import { requireServed } from '../../../laptop/identity/served.ts'
import { identityPaths } from '../../../laptop/layout.ts'
import { startSupercluster } from '../../../laptop/supercluster.ts'
import { peerChain } from '../../../nats/handshake.ts'
import { writePrivate } from '../../../store/files.ts'
import { until } from '../../until.ts'
import { makeBareNetwork } from '../bare-network.ts'

const network = await makeBareNetwork({ regions: 2, servers: 2 })
const { data } = network
const archipelago = { ...network.archipelago, identity: { leafLifetimeSeconds: 20 } }
const lines: string[] = []
const report = (line: string) => void lines.push(line)
const supercluster = await startSupercluster({ ...network.options, archipelago, report })
test.after.always(async () => {
  await supercluster.stop()
  await network[Symbol.asyncDispose]()
})

const peers = expectedPeers(archipelago, supercluster.regions, [])

async function shownByAll(): Promise<string[]> {
  const chains = peers.map(async (peer) => {
    const { host, port } = peer.endpoint
    const { chain } = await peerChain({ host, port, mode: handshakeMode(peer) })
    return createHash('sha256')
      .update(chain[0] ?? '')
      .digest('hex')
  })
  return Promise.all(chains)
}

test.serial(
  'every listener shows a new certificate, and no process or connection ends',
  async (t) => {
    const pids = supercluster.pids()
    const urls = supercluster.regions.flatMap(({ servers }) => servers.map((one) => one.client))
    const clients = await Promise.all(
      urls.map((url) => network.connect(network.member, [formatUrl(url)])),
    )
    const first = await shownByAll()
    const isNew = async () => (await shownByAll()).every((digest, index) => digest !== first[index])
    await until('every listener shows another certificate', isNew, { deadlineMs: 120_000 })
    t.deepEqual(supercluster.pids(), pids)
    t.deepEqual(lines, [])
    for (const client of clients) {
      await client.flush()
      t.is(client.stats().outMsgs, 0)
      await client.close()
    }
    await t.notThrowsAsync(supercluster.awaitMesh(1000))
  },
)

const ams3 = { name: 'ams3-0', region: 'ams3' }

test.serial('a key stays, so that pins hold', async (t) => {
  const { certificate } = identityPaths(data, ams3)
  const read = () => parseCertificates(readFileSync(certificate, 'utf8'))[0] ?? t.fail()
  const before = read()
  const after = await until('another certificate', () => {
    const now = read()
    return now.serial !== before.serial && now
  })
  t.deepEqual(after.spki, before.spki)
})

test.serial('a file that is newer than what is served is an alarm', async (t) => {
  const { certificate } = identityPaths(data, ams3)
  const other = identityPaths(data, { name: 'ams3-1', region: 'ams3' })
  const serving = { archipelago, doors: [], regions: supercluster.regions, data }
  const alarm = /^ams3-0 shows another certificate to its \w+ peers than .*ams3-0\.crt, of serial /
  // A renewal may be under way, which writes and serves what is right.
  const refusal = await until('it is an alarm', async () => {
    writePrivate(certificate, readFileSync(other.certificate))
    const refused = await requireServed(serving, 'ams3-0').then(
      () => undefined,
      (error: Refusal) => error,
    )
    return refused !== undefined && alarm.test(refused.message) && refused
  })
  t.is(refusal.code, 'ERR_CERTIFICATE_NOT_SERVED')
})

test.serial(
  'a certificate that is gone is there again after a renewal, for the same key',
  async (t) => {
    const { certificate, key } = identityPaths(data, ams3)
    const before = readFileSync(key, 'utf8')
    rmSync(certificate)
    await until('it is there again', () => existsSync(certificate))
    t.is(readFileSync(key, 'utf8'), before)
    const serving = { archipelago, doors: [], regions: supercluster.regions, data }
    const isServed = () =>
      requireServed(serving, 'ams3-0').then(...([() => true, () => false] as const))
    await until('it is served', isServed)
    t.pass()
  },
)

test.serial(
  'a key that is gone is told, and not replaced behind the back of its peers',
  async (t) => {
    const { key } = identityPaths(data, ams3)
    rmSync(key)
    const line = await until('it is told', () => lines.find((each) => each.includes('no key of')))
    t.regex(
      line,
      /^ams3-0's certificates are not renewed: no key of ams3-0 at .*: its peers pin it/,
    )
    t.false(existsSync(key))
  },
)
