// Every verdict is tried on a real nats-server: it says whether it takes the change while it runs.
import { readFileSync } from 'node:fs'
import test from 'ava'
import { compareConfigurations, compareNetworks } from '../../../core/network/change.ts'
import {
  type Configuration,
  type ConfigurationValue,
  formatConfiguration,
} from '../../../core/network/configuration.ts'
import { type PlannedServer, planNetwork, writePlan } from '../../../laptop/configurations.ts'
import { runDirectory } from '../../../laptop/layout.ts'
import { readLoaded } from '../../../laptop/monitor.ts'
import { superviseProcesses } from '../../../laptop/supervisor.ts'
import { writePrivate } from '../../../store/files.ts'
import { makeBareNetwork } from '../../laptop/bare-network.ts'
import { until } from '../../until.ts'

// One server of the network and one leafnode server, without their peers.
const network = await makeBareNetwork()
const { data, options, archipelago } = network
const plan = await planNetwork(data, options)
writePlan(data, plan)
const supervisor = superviseProcesses({ runDirectory: runDirectory(data), onExit: () => {} })
test.after.always(async () => {
  await supervisor.stop()
  await network[Symbol.asyncDispose]()
})

const server = start('ams3-0')
const leafnode = start('ams3-leafnode')

function start(name: string): PlannedServer {
  const planned = plan.servers.find((one) => one.name === name)
  if (planned === undefined) throw new RangeError(`no such server: ${name}`)
  const { file, log } = planned
  supervisor.start({ name, log, command: options.natsServer, args: ['-c', file], mark: file })
  return planned
}

type Change = readonly [setting: string, value: ConfigurationValue]

const other = plan.servers[1]
const otherCertificate = String(Object(other?.configuration['tls']).cert_file)
const otherKey = String(Object(other?.configuration['tls']).key_file)
const noPin = ['0'.repeat(64)]
const elsewhere = `127.0.0.1:${archipelago.laptop.firstPort + 70}`
const [, , lobby] = options.trust.accounts
const { operatorJwt } = options.trust

const serverChanges: readonly Change[] = [
  ['max_connections', 900],
  ['max_payload', 2_000_000],
  ['max_control_line', 8192],
  ['ping_interval', '6s'],
  ['ping_max', 3],
  ['write_deadline', '9s'],
  ['authorization.timeout', 7],
  ['client_advertise', 'localhost:4222'],
  ['tls.timeout', 6],
  ['cluster.tls.ca_file', otherCertificate],
  ['gateway.tls.ca_file', otherCertificate],
  ['leafnodes.tls.ca_file', otherCertificate],
  ['tls.handshake_first', true],
  ['cluster.tls.pinned_certs', noPin],
  ['cluster.tls.timeout', 6],
  ['cluster.tls.verify_cert_and_check_known_urls', true],
  ['cluster.routes', ['tls://127.0.0.1:1']],
  ['gateway.tls.pinned_certs', noPin],
  ['gateway.tls.timeout', 6],
  ['gateway.tls.verify_cert_and_check_known_urls', true],
  ['gateway.gateways', []],
  ['gateway.reject_unknown_cluster', false],
  ['gateway.listen', elsewhere],
  ['leafnodes.tls.handshake_first', false],
  ['leafnodes.tls.pinned_certs', noPin],
  ['leafnodes.tls.timeout', 6],
  ['leafnodes.listen', elsewhere],
  ['leafnodes.min_version', '2.15.0'],
  ['websocket.listen', elsewhere],
  ['websocket.tls.pinned_certs', noPin],
  ['websocket.tls.ca_file', otherCertificate],
  ['websocket.same_origin', false],
  ['websocket.handshake_timeout', '6s'],
  ['websocket.compression', true],
  ['cluster.listen', elsewhere],
  ['cluster.name', 'ams4'],
  ['listen', elsewhere],
  ['http', elsewhere],
  ['server_name', 'ams3-9'],
  ['lame_duck_duration', '40s'],
  ['lame_duck_grace_period', '6s'],
  ['logfile_size_limit', 1_000_000],
  ['logfile_max_num', 3],
  ['resolver_preload', Object.fromEntries([[lobby?.publicKey, lobby?.jwt]])],
  ['system_account', String(lobby?.publicKey)],
  ['operator', `${operatorJwt.slice(0, -4)}AAAA`],
]

const [remote] = Object(leafnode.configuration['leafnodes']).remotes

const leafnodeChanges: readonly Change[] = [
  ['accounts', { ACCESS: { users: [{ nkey: network.functionKey.publicKey }] } }],
  ['max_connections', 65],
  ['leafnodes.remotes', [{ ...remote, first_info_timeout: '6s' }]],
  ['leafnodes.remotes.0.tls.ca_file', otherCertificate],
  ['tls.ca_file', otherCertificate],
  ['leafnodes.tls.ca_file', otherCertificate],
  ['leafnodes.reconnect', '2s'],
  ['leafnodes.tls.pinned_certs', noPin],
]

for (const [planned, changes] of [
  [server, serverChanges],
  [leafnode, leafnodeChanges],
] as const) {
  for (const [setting, value] of changes) {
    test.serial(`${planned.name} takes another ${setting} as we say`, async (t) => {
      const changed = withSetting(planned.configuration, setting.split('.'), value)
      const { effect, settings } = compareConfigurations(planned.configuration, changed)
      t.true(settings.every((one) => one === setting || one.startsWith(`${setting}.`)))
      t.is(effect, (await takes(planned, changed)) ? 'reload' : 'restart')
    })
  }
}

test.serial('a server takes another certificate for all its listeners while it runs', async (t) => {
  const text = formatConfiguration(server.configuration, '')
  const files = Object(server.configuration['tls'])
  const changed = text
    .replaceAll(files.cert_file, otherCertificate)
    .replaceAll(files.key_file, otherKey)
  t.true(await takesText(server, changed))
})

function withSetting(
  configuration: Configuration,
  [key = '', ...rest]: readonly string[],
  value: ConfigurationValue,
): Configuration {
  if (rest.length === 0) return { ...configuration, [key]: value }
  const block = configuration[key] as Configuration
  if (Array.isArray(block))
    return {
      ...configuration,
      [key]: block.with(Number(rest[0]), withSetting(block[Number(rest[0])], rest.slice(1), value)),
    }
  return { ...configuration, [key]: withSetting(block, rest, value) }
}

async function takes(planned: PlannedServer, changed: Configuration): Promise<boolean> {
  const verdict = await takesText(planned, formatConfiguration(changed, ''))
  await takesText(planned, formatConfiguration(planned.configuration, ''))
  return verdict
}

/** Its log is the only place where a leafnode server says it. */
async function takesText(
  { name, file, log, monitor }: PlannedServer,
  text: string,
): Promise<boolean> {
  await until('the server runs', () => readLoaded(monitor))
  const before = readFileSync(log, 'utf8').length
  writePrivate(file, text)
  supervisor.signal(name, 'SIGHUP')
  const verdict = /Reloaded server configuration|Failed to reload server configuration/
  const said = await until('an answer to the reload', () =>
    readFileSync(log, 'utf8').slice(before).match(verdict)?.at(0),
  )
  return said.startsWith('Reloaded')
}

test('what is the same needs nothing', (t) => {
  const { configuration } = server
  t.deepEqual(compareConfigurations(configuration, configuration), { effect: 'none', settings: [] })
})

test('one change that is not reloadable makes all of them a restart', (t) => {
  const changed = { ...server.configuration, max_connections: 1, server_name: 'x' }
  t.deepEqual(compareConfigurations(server.configuration, changed), {
    effect: 'restart',
    settings: ['server_name', 'max_connections'],
  })
})

test('processes come and go', (t) => {
  const before = new Map([
    ['ams3-0', { port: 1 }],
    ['sfo2-0', { port: 1 }],
  ])
  const after = new Map([
    ['ams3-0', { port: 1 }],
    ['sgp1-0', { port: 1 }],
  ])
  t.deepEqual(compareNetworks(before, after), [
    { name: 'sfo2-0', effect: 'stop', settings: [] },
    { name: 'ams3-0', effect: 'none', settings: [] },
    { name: 'sgp1-0', effect: 'start', settings: [] },
  ])
})
