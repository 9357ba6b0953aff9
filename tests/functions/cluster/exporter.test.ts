// What Prometheus reads of real servers.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { formatUrl } from '../../../core/network/endpoint.ts'
import type { Nkey } from '../../../core/trust/nkey.ts'
import { startExporter } from '../../../functions/cluster/exporter.ts'
import { readRegionMetrics, type FiguresSource } from '../../../functions/cluster/region-figures.ts'
import { startSupercluster, type Supercluster } from '../../../laptop/supercluster.ts'
import { rootsFile } from '../../../store/authority-files.ts'
import { openFiles } from '../../../store/files.ts'
import { homesOf } from '../../../store/homes.ts'
import { writeKey } from '../../../store/key-file.ts'
import { monitorSigningKey } from '../../../store/key-paths.ts'
import { mintMonitor } from '../../../store/monitor.ts'
import { makeBareNetwork } from '../../laptop/bare-network.ts'
import { until } from '../../until.ts'

const network = await makeBareNetwork({ regions: 2, servers: 2 })
const home = mkdtempSync(join(tmpdir(), 'archipelago-monitor-'))
const files = openFiles()
const said: string[] = []
let supercluster: Supercluster

test.before(async () => {
  supercluster = await startSupercluster(network.options)
  writeKey(files, monitorSigningKey(home), network.monitor)
})

test.after.always(async () => {
  await supercluster?.stop()
  await network[Symbol.asyncDispose]()
  rmSync(home, { recursive: true })
})

const urlsOf = (region: string) =>
  supercluster.regions
    .filter(({ name }) => name === region)
    .flatMap(({ servers }) => servers.map(({ client }) => formatUrl(client)))

const account = () => network.options.trust.systemAccount as Nkey<'account'>
const mint = () =>
  mintMonitor(
    { files, home },
    { region: 'ams3', account: account() },
    Math.floor(Date.now() / 1000),
  )

const source = (change: Partial<FiguresSource> = {}): FiguresSource => ({
  region: 'ams3',
  servers: ['ams3-0', 'ams3-1'],
  peers: ['sfo2'],
  target: () => ({
    servers: urlsOf('ams3'),
    ca: readFileSync(rootsFile(homesOf(network.data).public, 'public'), 'utf8'),
  }),
  mint,
  report: (line) => said.push(line),
  ...change,
})

const value = (text: string, name: string, ...labels: string[]) => {
  const line = text
    .split('\n')
    .find((each) => each.startsWith(`${name}{`) && labels.every((label) => each.includes(label)))
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ')))
}

test.serial('it shows what the servers of its region really do, and no other region', async (t) => {
  const url = urlsOf('ams3').slice(0, 1)
  await using member = await network.connect(network.member, url)
  const before = await readRegionMetrics(source())
  const name = 'server="ams3-0"'
  const inMessages = (text: string) => value(text, 'nats_server_messages_total', name, '"in"') ?? 0
  for (let n = 0; n < 100; n++) member.publish('chat', 'hello')
  await member.flush()
  const text = await readRegionMetrics(source())
  t.true(inMessages(text) - inMessages(before) >= 100)
  t.true((value(text, 'nats_server_connections', name) ?? 0) >= 1)
  t.notRegex(text, /server="sfo2-/)
  for (const server of ['ams3-0', 'ams3-1']) {
    const at = `server="${server}"`
    t.is(value(text, 'nats_server_up', at), 1)
    t.true((value(text, 'nats_server_routes', at) ?? 0) >= 1)
    t.is(value(text, 'nats_server_gateway_connections', at, '"sfo2"', '"out"'), 1)
    t.is(value(text, 'nats_server_connections_max', at), network.archipelago.server.connectionsMax)
    t.is(value(text, 'nats_server_slow_consumers_total', at), 0)
    for (const listener of ['client', 'route', 'gateway', 'leafnode', 'workload']) {
      const end = value(text, 'nats_server_certificate_expiry_seconds', at, `"${listener}"`) ?? 0
      t.true(end > Date.now() / 1000, listener)
    }
  }
  t.is(said.at(-1), '2 of 2 servers of ams3 answer')
})

test.serial('a server that hangs is down, and comes back', async (t) => {
  const up = async () => value(await readRegionMetrics(source()), 'nats_server_up', 'ams3-1"')
  t.is(await up(), 1)
  supercluster.signal('ams3-1', 'SIGSTOP')
  try {
    t.is(
      await until('the server to be told as down', async () => ((await up()) === 0 ? 0.5 : 0)),
      0.5,
    )
    t.is(said.at(-1), '1 of 2 servers of ams3 answer')
  } finally {
    supercluster.signal('ams3-1', 'SIGCONT')
  }
  t.is(await until('the server to be up again', up), 1)
})

test.serial('where no server lets it in, that is what it says, and why', async (t) => {
  const text = await readRegionMetrics(
    source({ target: () => ({ servers: ['tls://127.0.0.1:1'], ca: '' }) }),
  )
  t.is(value(text, 'nats_monitor_up'), 0)
  t.is(value(text, 'nats_server_up'), undefined)
  t.regex(said.at(-1) ?? '', /^cannot connect to tls:\/\/127\.0\.0\.1:1: /)
})

test.serial('it is read by HTTP: one question for all who ask, and nothing but that', async (t) => {
  let asked = 0
  const read = async () => {
    asked++
    return readRegionMetrics(source())
  }
  await using exporter = await startExporter({ host: '127.0.0.1', port: 0, read })
  const get = (path: string, method = 'GET') =>
    fetch(`http://127.0.0.1:${exporter.port}${path}`, { method })
  const all = await Promise.all(Array.from({ length: 8 }, () => get('/metrics')))
  t.deepEqual(new Set(all.map(({ status }) => status)), new Set([200]))
  t.is(all[0]?.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
  t.true(
    (await Promise.all(all.map((each) => each.text()))).every((text) =>
      /nats_server_up/.test(text),
    ),
  )
  t.true(asked < 8)
  const answers = [get('/healthz'), get('/'), get('/metrics?x'), get('/metrics', 'POST')]
  t.deepEqual(
    (await Promise.all(answers)).map(({ status }) => status),
    [200, 404, 404, 405],
  )
})
