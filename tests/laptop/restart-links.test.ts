// Links made anew, and keys that are pinned no more.
import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import test from 'ava'
import { formatUrl, type ServerPlace } from '../../core/network/endpoint.ts'
import { identityPaths, serverPaths } from '../../laptop/layout.ts'
import { startSupercluster } from '../../laptop/supercluster.ts'
import { observeLinks } from '../../nats/observe-links.ts'
import { elsewhere, steal } from '../stolen-server.ts'
import { startTestServer } from '../test-server.ts'
import { until } from '../until.ts'
import { makeBareNetwork } from './bare-network.ts'

const network = await makeBareNetwork({ regions: 2, servers: 2 })
const { data } = network
const supercluster = await startSupercluster(network.options)
test.after.always(async () => {
  await supercluster.stop()
  await network[Symbol.asyncDispose]()
})

const servers = supercluster.regions.flatMap((region) => region.servers)
const thief = { name: 'ams3-1', region: 'ams3' }

/** Whether a route listener of ams3 speaks to whoever shows this. */
async function isAdmitted({ cert, key }: { cert: Buffer; key: Buffer }): Promise<boolean> {
  const [server] = servers
  const { host, port } = server?.route ?? { host: '', port: 0 }
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ host, port, cert, key, rejectUnauthorized: false })
  socket.once('data', () => resolve(true))
  socket.once('close', () => resolve(false))
  socket.on('error', () => {})
  return promise.finally(() => socket.destroy())
}

const read = () => {
  const { certificate, key } = identityPaths(data, thief)
  return { cert: readFileSync(certificate), key: readFileSync(key) }
}

function stealServer() {
  const place = servers.find(({ name }) => name === thief.name) as ServerPlace
  const { configuration } = serverPaths(data, place)
  const { certificate, key } = identityPaths(data, thief)
  return steal(data, configuration, [certificate, key])
}

test.serial('every link is made anew, and a key that was taken is admitted no more', async (t) => {
  const startMs = Date.now()
  const before = supercluster.pids()
  const stolen = read()
  t.true(await isAdmitted(stolen))
  // In the mesh by the stolen key, and in the way: ams3 refuses the true sfo2-0 while this one is there.
  await using twin = await startTestServer(elsewhere(data, stealServer(), 'sfo2-0'))
  const log = () => readFileSync(join(twin.folder, 'log'), 'utf8')
  await until('the twin is in', () => /Route connection created/.test(log()))
  const lines: string[] = []
  await supercluster.restartLinks(['ams3-1'], (line) => lines.push(line))
  t.deepEqual(
    lines.filter((line) => line.startsWith('drain')),
    [...before.keys()].toSorted().map((name) => `drain and restart ${name}`),
  )
  for (const [name, pid] of supercluster.pids()) t.not(before.get(name), pid)
  t.false(await isAdmitted(stolen))
  const own = read()
  t.false(createPrivateKey(own.key).equals(createPrivateKey(stolen.key)))
  t.true(await isAdmitted(own))
  const urls = servers.map(({ client }) => formatUrl(client))
  await using observer = await network.connect(network.observer, urls)
  const links = await observeLinks(observer, { expected: servers.length, deadlineMs: 2000 })
  t.true(links.some(({ kind }) => kind === 'gateway'))
  for (const link of links) if (link.kind !== 'leafnode') t.true((link.startMs ?? 0) >= startMs - 1)
})

test.serial('a name that is no server’s is refused before anything ends', async (t) => {
  const [before, key] = [supercluster.pids(), read()]
  await t.throwsAsync(
    supercluster.restartLinks(['ams3-1', 'ams3-9'], () => t.fail()),
    {
      code: 'ERR_SERVER_UNKNOWN',
      message: "unknown server: 'ams3-9'",
    },
  )
  t.deepEqual(supercluster.pids(), before)
  t.deepEqual(read(), key)
})
