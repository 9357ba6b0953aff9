// What nats-server has to do to take another configuration. It refuses a reload as a whole when one
// change in it is not reloadable, so the answer is for all changes together.
import type { Configuration, ConfigurationValue } from './configuration.ts'

export interface ConfigurationChange {
  readonly effect: 'none' | 'reload' | 'restart'
  /** The settings that differ, as in `gateway.gateways`. */
  readonly settings: readonly string[]
}

export function compareConfigurations(
  before: Configuration,
  after: Configuration,
): ConfigurationChange {
  const settings = differences(before, after, '')
  const effect = settings.every(isReloadable) ? 'reload' : 'restart'
  return { effect: settings.length === 0 ? 'none' : effect, settings }
}

/**
 * As nats-server 2.15 has it; each is tried on a real server in the tests. It takes some more
 * (another URL of a leafnode's remote, but not another timeout of it), which are too rare to tell apart.
 */
const reloadable = [
  'tls',
  'max_connections',
  'max_payload',
  'max_control_line',
  'ping_interval',
  'ping_max',
  'write_deadline',
  'authorization.timeout',
  'client_advertise',
  'accounts',
  'cluster.tls',
  'cluster.routes',
  'gateway.tls.cert_file',
  'gateway.tls.key_file',
  'gateway.tls.ca_file',
  'gateway.tls.pinned_certs',
  'leafnodes.tls.cert_file',
  'leafnodes.tls.key_file',
  'leafnodes.tls.ca_file',
  'leafnodes.tls.handshake_first',
  'leafnodes.remotes.0.tls.cert_file',
  'leafnodes.remotes.0.tls.key_file',
  'leafnodes.remotes.0.tls.ca_file',
  'websocket.tls.cert_file',
  'websocket.tls.key_file',
  'websocket.tls.ca_file',
  'resolver_preload',
]

export const isReloadable = (setting: string): boolean =>
  reloadable.some((known) => setting === known || setting.startsWith(`${known}.`))

function differences(before: Configuration, after: Configuration, prefix: string): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...keys].flatMap((key) => {
    const [old, now] = [before[key], after[key]]
    if (isBlock(old) && isBlock(now)) return differences(old, now, `${prefix}${key}.`)
    if (areBlocks(old) && areBlocks(now) && old.length === now.length)
      return differences(byIndex(old), byIndex(now), `${prefix}${key}.`)
    return JSON.stringify(old) === JSON.stringify(now) ? [] : [`${prefix}${key}`]
  })
}

const isBlock = (value: ConfigurationValue | undefined): value is Configuration =>
  typeof value === 'object' && !Array.isArray(value)

const areBlocks = (value: ConfigurationValue | undefined): value is readonly Configuration[] =>
  Array.isArray(value) && value.every(isBlock)

const byIndex = (blocks: readonly Configuration[]): Configuration =>
  Object.fromEntries(blocks.entries().map(([index, block]) => [String(index), block]))

/** One process of the network, and what happens to it. */
export interface ProcessChange {
  readonly name: string
  readonly effect: ConfigurationChange['effect'] | 'start' | 'stop'
  readonly settings: readonly string[]
}

/** By process name; what goes away is named first, then all that is there afterwards, in its order. */
export function compareNetworks(
  before: ReadonlyMap<string, Configuration>,
  after: ReadonlyMap<string, Configuration>,
): ProcessChange[] {
  const gone = [...before.keys()].filter((name) => !after.has(name))
  return [
    ...gone.map((name): ProcessChange => ({ name, effect: 'stop', settings: [] })),
    ...[...after].map(([name, configuration]): ProcessChange => {
      const old = before.get(name)
      if (old === undefined) return { name, effect: 'start', settings: [] }
      return { name, ...compareConfigurations(old, configuration) }
    }),
  ]
}
