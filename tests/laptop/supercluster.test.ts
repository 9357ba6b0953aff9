import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect as connectPlain } from 'node:net'
import { join } from 'node:path'
import test from 'ava'
import type { Endpoint } from '../../core/network/endpoint.ts'
import { identityPaths, serverPaths } from '../../laptop/layout.ts'
import { intermediatesFile } from '../../store/authority-files.ts'
import { homesOf } from '../../store/homes.ts'
import { startSupercluster, type Supercluster } from '../../laptop/supercluster.ts'
import type { UnexpectedExit } from '../../laptop/supervisor.ts'
import { firstLine, hearListener } from '../hear-listener.ts'
import { until } from '../until.ts'
import { makeBareNetwork } from './bare-network.ts'

const network = await makeBareNetwork()
const { data, options } = network
const exits: UnexpectedExit[] = []
let supercluster: Supercluster

test.before(async (t) => {
  supercluster = await startSupercluster({ ...options, onExit: (exit) => exits.push(exit) })
  t.log(supercluster.timings)
})

test.after.always(async () => {
  await supercluster?.stop()
  await network[Symbol.asyncDispose]()
})

const place = (name: string) => {
  const places = supercluster.regions.flatMap(({ servers }) => servers)
  const found = places.find((server) => server.name === name)
  if (found === undefined) throw new RangeError(name)
  return found
}

test.serial('nine servers and three leafnode servers form one mesh', (t) => {
  t.is(supercluster.pids().size, 12)
  t.is(supercluster.observed.length, 9)
  for (const { outboundGateways, routes } of supercluster.observed) {
    t.is(outboundGateways.length, 2)
    t.is(routes.length, 2)
  }
})

test.serial('what lies in the data directory is for its owner alone', (t) => {
  const secrets = readdirSync(data, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(key|conf|creds|json)$/.test(file))
    .map((file) => join(data, file))
  t.true(secrets.length > 30)
  for (const file of secrets) t.is(statSync(file).mode & 0o077, 0, file)
  for (const region of ['ams3', 'operator', 'run']) {
    t.is(statSync(join(data, region)).mode & 0o077, 0, region)
  }
})

/** What a listener says to whoever comes with a certificate of this process, or with none. */
function heard(endpoint: Endpoint, holder?: { name: string; region: string }): Promise<string> {
  const ca = readFileSync(intermediatesFile(homesOf(data).public, 'identity', 'ams3'))
  const files = holder && identityPaths(data, holder)
  const own = files && { cert: readFileSync(files.certificate), key: readFileSync(files.key) }
  return hearListener(endpoint, ca, own)
}

const admissions = [
  ['route', 'ams3-1', ['sfo2-0', 'ams3-leafnode', 'ams3-lobby']],
  ['gateway', 'sfo2-0', ['ams3-1', 'sfo2-leafnode', 'sfo2-lobby']],
  ['leafnode', 'ams3-leafnode', ['ams3-1', 'sfo2-leafnode', 'ams3-lobby']],
] as const

const holderOf = (name: string) => ({ name, region: name.split('-')[0] ?? '' })

for (const [listener, peer, strangers] of admissions) {
  test.serial(`the ${listener} listener of ams3-0 talks to ${peer}`, async (t) => {
    t.regex(await heard(place('ams3-0')[listener], holderOf(peer)), /^INFO /)
  })

  for (const stranger of [...strangers, undefined]) {
    test.serial(
      `the ${listener} listener of ams3-0 says nothing to ${stranger ?? 'nobody'}`,
      async (t) => {
        const holder = stranger === undefined ? undefined : holderOf(stranger)
        t.is(await heard(place('ams3-0')[listener], holder), '')
      },
    )
  }
}

test.serial('the leafnode listener does not show its protocol without TLS', async (t) => {
  const { host, port } = place('ams3-0').leafnode
  const socket = connectPlain({ host, port })
  socket.write('CONNECT {}\r\n')
  t.is(await firstLine(socket), '')
})

test.serial('monitoring answers on loopback', async (t) => {
  const { host, port } = place('ams3-0').monitor
  const response = await fetch(`http://${host}:${port}/healthz`)
  t.true(response.ok)
})

test.serial('a server that is killed is reported, starts again, and is meshed again', async (t) => {
  supercluster.signal('sfo2-1', 'SIGKILL')
  await until('the exit is reported', () => exits.find(({ name }) => name === 'sfo2-1'))
  t.like(exits.at(-1), { name: 'sfo2-1', signal: 'SIGKILL' })
  const observed = await supercluster.awaitMesh(30_000)
  t.is(observed.length, 9)
})

test.serial('a leafnode server that is killed comes back', async (t) => {
  supercluster.signal('ams3-leafnode', 'SIGKILL')
  await until('the exit is reported', () => exits.find(({ name }) => name === 'ams3-leafnode'))
  await t.notThrowsAsync(supercluster.awaitMesh(30_000))
})

// Others may be out of sight too: those whose gateway leads to the hung server.
test.serial('a server that hangs is named', async (t) => {
  supercluster.signal('sgp1-2', 'SIGSTOP')
  try {
    await t.throwsAsync(supercluster.awaitMesh(2000), {
      code: 'ERR_NOT_MESHED',
      message: /^no whole mesh within 2000 ms: no answer from (.+, )?sgp1-2$/,
    })
  } finally {
    supercluster.signal('sgp1-2', 'SIGCONT')
  }
  await t.notThrowsAsync(supercluster.awaitMesh(30_000))
})

test.serial('a server takes the configuration that lies on its disk', async (t) => {
  await t.notThrowsAsync(supercluster.reload('ams3-0'))
})

test.serial('a reload that is not taken is refused, and the server runs on', async (t) => {
  const { configuration } = serverPaths(data, place('ams3-1'))
  const before = readFileSync(configuration)
  writeFileSync(configuration, 'server_name: "other"\n')
  await t.throwsAsync(supercluster.reload('ams3-1'), { code: 'ERR_RELOAD_FAILED' })
  writeFileSync(configuration, before)
  await t.notThrowsAsync(supercluster.reload('ams3-1'))
  await t.notThrowsAsync(supercluster.awaitMesh(30_000))
})

test.serial('a second start from the same ports is refused before anything runs', async (t) => {
  const { firstPort } = options.archipelago.laptop
  await t.throwsAsync(startSupercluster(options), {
    code: 'ERR_PORT_TAKEN',
    message: new RegExp(`^port taken: 127.0.0.1:${firstPort} \\(clients of ams3-0\\)`),
  })
  t.is(supercluster.pids().size, 12)
})

for (const afterMs of [0, 100, 300, 1000]) {
  test.serial(`a start that is given up after ${afterMs} ms leaves nothing running`, async (t) => {
    await using other = await makeBareNetwork({ regions: 2, servers: 2 })
    const signal = AbortSignal.timeout(afterMs)
    await t.throwsAsync(startSupercluster({ ...other.options, signal }), { name: 'TimeoutError' })
    t.deepEqual(processesOf(other.data), [])
    t.false(readdirSync(other.data, { recursive: true, encoding: 'utf8' }).some(isRecord))
  })
}

test.serial(
  'a server that cannot start is named with its last words, and the others end',
  async (t) => {
    await using other = await makeBareNetwork({ regions: 2, servers: 2 })
    const trust = { ...other.options.trust, operatorJwt: 'eyJnone' }
    await t.throwsAsync(startSupercluster({ ...other.options, trust }), {
      code: 'ERR_SERVER_FAILED',
      message: /^(ams3|sfo2)-\d ended with code 1: .*nats\.conf:\d+:\d+/,
    })
    t.deepEqual(processesOf(other.data), [])
  },
)

test.serial('nothing is left after a stop', async (t) => {
  await supercluster.stop()
  t.deepEqual(processesOf(data), [])
})

const isRecord = (file: string) => file.endsWith('.process.json')

/** The processes that have this folder in their command line; on other systems than Linux none is found. */
function processesOf(folder: string): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.filter((pid) => commandLine(pid).includes(folder))
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
