// Three regions as they run in clusters, known to each other by DNS names and without a pin.
import { join } from 'node:path'
import test from 'ava'
import { formatCertificates } from '../../core/identity/certificate.ts'
import { formatConfiguration } from '../../core/network/configuration.ts'
import type { Endpoint, ServerPlace } from '../../core/network/endpoint.ts'
import { superviseProcesses, type Supervisor } from '../../laptop/supervisor.ts'
import { readRoots, rootsFile } from '../../store/authority-files.ts'
import { writePrivate } from '../../store/files.ts'
import { run, type Ran } from '../run-script.ts'
import { until } from '../until.ts'
import { credsText } from './bare-trust.ts'
import { seeing } from './named/hosts-file.ts'
import { makeNamedNetwork, type NamedNetwork } from './named/make-network.ts'

let network: NamedNetwork
let supervisor: Supervisor

test.before(async () => {
  network = await makeNamedNetwork(2)
  supervisor = start()
})
test.after.always(async () => {
  await supervisor?.[Symbol.asyncDispose]()
  await network?.[Symbol.asyncDispose]()
})

function start(): Supervisor {
  const { regions, natsServer: command, store } = network
  const running = superviseProcesses({ runDirectory: store.homes.run, onExit: () => {} })
  for (const { name } of regions.flatMap(({ servers, leafnode }) => [...servers, leafnode])) {
    const [file, log] = ['conf', 'log'].map((end) => join(store.homes.data, `${name}.${end}`)) as [
      string,
      string,
    ]
    const configuration = { ...network.configurationOf(name), log_file: log }
    writePrivate(file, formatConfiguration(configuration, name))
    running.start({ name, log, command, args: ['-c', file], mark: file })
  }
  return running
}

/** A script of ours that finds the names, too. */
function runNamed(script: string, args: readonly string[]): Promise<Ran> {
  const [command, ...prefix] = seeing(network.hostsFile)
  const file = join(import.meta.dirname, '../../scripts', `${script}.ts`)
  return run(command, [...prefix, process.execPath, file, ...args])
}

/** Both, for a network of its own has identities and public names. */
function writeRoots(): string {
  const { files, homes } = network.store
  const file = join(homes.data, 'roots.pem')
  const both = (['identity', 'public'] as const).map((kind) => readRoots(files, homes, kind))
  writePrivate(file, formatCertificates(both.flat()))
  return file
}

function find(name: string): ServerPlace {
  const servers = network.regions.flatMap((region) => region.servers)
  return servers.find((server) => server.name === name) as ServerPlace
}

test.serial(
  'the supercluster comes up whole, and verify-supercluster finds it by name',
  async (t) => {
    const { trust, store } = network
    const creds = join(store.homes.data, 'observer.creds')
    writePrivate(creds, credsText(trust.observer))
    const { host, port } = find('ams3-0').client
    const args = [
      ...['--servers', `tls://${host}:${port}`, '--creds', creds],
      ...['--ca', rootsFile(store.homes.public, 'public')],
      ...['--regions', 'ams3,sfo2,sgp1', '--servers-per-region', '2'],
    ]
    const { stdout } = await until(
      'the mesh is whole',
      async () => {
        const ran = await runNamed('verify-supercluster', args)
        return ran.code === 0 && ran
      },
      { deadlineMs: 30_000 },
    )
    t.regex(stdout, /✔ as expected/)
  },
)

test.serial(
  'verify-peer knows each listener by its name, whatever address that leads to',
  async (t) => {
    const [server, roots] = [find('sfo2-1'), writeRoots()]
    const verify = (endpoint: Endpoint, ...more: string[]) =>
      runNamed('verify-peer', [`${endpoint.host}:${endpoint.port}`, '--roots', roots, ...more])
    for (const listener of ['client', 'route', 'gateway', 'leafnode', 'workload'] as const) {
      const { code, stdout } = await verify(server[listener])
      t.is(code, 0, `${listener}: ${stdout}`)
    }
    const id = 'spiffe://sfo2.archipelago.example/nats/server-1'
    t.is((await verify(server.gateway, '--expect-id', id)).code, 0)
    t.is((await verify(server.gateway, '--expect-id', id.replace('-1', '-0'))).code, 5)
    for (const listener of ['client', 'gateway'] as const) {
      const { code, stdout } = await verify(server[listener], '--name', find('ams3-0').client.host)
      t.is(code, 10, listener)
      t.regex(stdout, /not for 'ams3-0\.ams3\.archipelago\.example'/)
    }
  },
)
