// What a nats-server in a pod is told: as on a laptop, in three parts. What stands in git and
// restarts it, what stands in git and reloads, and what the trust brings.
import type { Archipelago } from '../archipelago.ts'
import { isReloadable } from './change.ts'
import type { Configuration } from './configuration.ts'
import type { RegionPlace, ServerPlace } from './endpoint.ts'
import { configureServer, preload, serverLimits, type NetworkTrust } from './server.ts'

/** Where a pod finds its files; manifests/base/server mounts them there. */
export const podFiles = {
  configuration: (server: string): string => `/etc/nats/config/${server}.conf`,
  limits: '/etc/nats/reload/limits.conf',
  operator: '/etc/nats/trust/operator.jwt',
  mountedAccounts: '/etc/nats/trust/accounts.conf',
  accounts: '/data/trust/accounts.conf',
  identity: { certificate: '/etc/nats/tls/server/tls.crt', key: '/etc/nats/tls/server/tls.key' },
  public: { certificate: '/etc/nats/tls/public/tls.crt', key: '/etc/nats/tls/public/tls.key' },
  region: '/etc/nats/authorities/region.pem',
  network: '/etc/nats/authorities/network.pem',
  process: '/run/nats/nats.pid',
} as const

/** From the folder of the configuration. */
export const podIncludes = ['../reload/limits.conf', `../../..${podFiles.accounts}`] as const

/**
 * All that no reload changes. Without the accounts, which are included: of a full resolver nats-server takes a
 * newer preload only when it starts (docs/adr/0015-accounts-in-a-cluster.md).
 */
export function configurePod(
  server: ServerPlace,
  regions: readonly RegionPlace[],
  archipelago: Archipelago,
): Configuration {
  const { connectionsMax } = archipelago.server
  const network = { regions, connectionsMax, trust: included }
  const whole = configureServer(server, network, files)
  const ours = Object.entries(whole).filter(([key]) => !isReloaded(key) && !isIncluded(key))
  const configuration = ours.map(([key, value]) => [
    key,
    // Clients come through a service: the names of pods lead nowhere outside.
    key === 'cluster' ? { ...(value as Configuration), no_advertise: true } : value,
  ])
  return { ...Object.fromEntries(configuration), resolver: 'MEMORY', pid_file: podFiles.process }
}

/** What is changed while the server runs. */
export function configureLimits({ server }: Archipelago): Configuration {
  const limits = serverLimits(server.connectionsMax)
  return Object.fromEntries(Object.entries(limits).filter(([key]) => isReloaded(key)))
}

/** What the trust brings: the system account, and every account by preload. */
export function configureAccounts({ systemAccount, accounts }: NetworkTrust): Configuration {
  return { system_account: systemAccount, resolver_preload: preload(accounts) }
}

const { identity } = podFiles

const files = {
  tls: {
    clients: podFiles.public,
    region: { ...identity, trusted: podFiles.region },
    network: { ...identity, trusted: podFiles.network },
  },
  resolverDirectory: '',
}

// nats-server takes a file for the JWT.
const included: NetworkTrust = {
  operatorJwt: podFiles.operator,
  systemAccount: '',
  accounts: [],
}

const limitKeys = Object.keys(serverLimits(0))

const isReloaded = (key: string) =>
  limitKeys.includes(key) && (isReloadable(key) || key === 'authorization')

const isIncluded = (key: string) => key === 'system_account' || key === 'resolver_preload'
