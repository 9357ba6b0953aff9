// The rules between two places of archipelago.yaml. Each asks only for what it reads, so that it
// is told also when something else is wrong.
import * as z from 'zod'
import { canonicalAddress } from './address.ts'
import { identityRules } from './identity-rules.ts'
import { type Problem, show } from './problem.ts'
import { at, mapOf, rule } from './rule.ts'
import { archipelagoSchema, isBuiltIn } from './schema.ts'

export function brokenRules(source: unknown): Problem[] {
  return [
    portsDiffer,
    addressesDiffer,
    balancersFit,
    nodePortsDiffer,
    regionDomainsFit,
    trustDomainIsOutside,
    laptopPortsFit,
    lobbyLeavesReserve,
    accountsAreListed,
    legacyIsOne,
    ...identityRules,
  ].flatMap((broken) => broken(source))
}

const { regions, ports, laptop, server, trustDomain, kubernetes } = archipelagoSchema.shape
const anyMap = mapOf(z.unknown())

const portsDiffer = rule(z.object({ ports }), ({ ports }) =>
  repetitions(Object.entries(ports)).map(({ key, value, first }) =>
    at(['ports', key], `same port as ports.${first}: ${value}`),
  ),
)

const addressesDiffer = rule(z.object({ regions }), ({ regions }) => {
  const addresses = Object.entries(regions).flatMap(([region, { addresses }]) =>
    addresses.map((address, index) => [{ region, index }, canonicalAddress(address)] as const),
  )
  return repetitions(addresses)
    .filter(({ key, first }) => key.region !== first.region)
    .map(({ key: { region, index }, value, first }) =>
      at(
        ['regions', region, 'addresses', index],
        `also an address of region ${first.region}: ${show(value)}`,
      ),
    )
})

/** One load balancer for each server, so that a server's name leads to its own. */
const balancersFit = rule(z.object({ regions }), ({ regions }) =>
  Object.entries(regions)
    .filter(([, { gateways }]) => gateways === 'load-balancers')
    .filter(([, { nodes, servers }]) => nodes.length > 0 && nodes.length !== servers)
    .map(([name, { nodes, servers }]) => {
      const rule = `must have an address for each of ${servers} servers, or none`
      return at(['regions', name, 'nodes'], `${rule}: ${nodes.length}`)
    }),
)

const clientNodePorts = 6

/** A port of a node belongs to one service. */
const nodePortsDiffer = rule(
  z.object({ regions, kubernetes }),
  ({ regions, kubernetes: { gatewayNodePort: gateways, clientNodePort: clients } }) => {
    const servers = Math.max(...Object.values(regions).map((region) => region.servers))
    if (clients + clientNodePorts <= gateways || gateways + servers <= clients) return []
    const taken = `${gateways} to ${gateways + servers - 1}`
    const rule = `must leave out the ports of gateways, ${taken}, with the five after it`
    return [at(['kubernetes', 'clientNodePort'], `${rule}: ${clients}`)]
  },
)

const trustDomainCharactersMax = 255

const regionDomainsFit = rule(z.object({ regions, trustDomain }), ({ regions, trustDomain }) => {
  const longest = Math.max(...Object.keys(regions).map((region) => region.length))
  const most = trustDomainCharactersMax - longest - 1
  if (trustDomain.length <= most) return []
  const rule = `must leave room for the names of regions, so at most ${most} characters`
  return [at(['trustDomain'], `${rule}: ${show(trustDomain)}`)]
})

/** Every region's authority may make names below the cluster domain, so none of them may name a region. */
const trustDomainIsOutside = rule(
  z.object({ trustDomain, kubernetes }),
  ({ trustDomain, kubernetes: { clusterDomain } }) => {
    if (!`.${trustDomain}`.endsWith(`.${clusterDomain}`)) return []
    const rule = `must not lie in kubernetes.clusterDomain, ${clusterDomain}`
    return [at(['trustDomain'], `${rule}: ${show(trustDomain)}`)]
  },
)

const portsPerRegion = 100

const laptopPortsFit = rule(z.object({ regions, laptop }), ({ regions, laptop }) => {
  const most = 65_536 - portsPerRegion * Object.keys(regions).length
  if (laptop.firstPort <= most) return []
  const rule = `must leave ${portsPerRegion} ports below 65536 for each region, so at most ${most}`
  return [at(['laptop', 'firstPort'], `${rule}: ${laptop.firstPort}`)]
})

const lobbyLeavesReserve = rule(
  z.object({ server, lobby: z.object({ connectionsMax: z.int() }) }),
  ({ server, lobby }) => {
    const most = Math.floor(server.connectionsMax / 2)
    if (lobby.connectionsMax <= most) return []
    const why = 'the whole lobby may meet on one server, where members need a reserve'
    const rule = `must be at most half of server.connectionsMax, so ${most}, for ${why}`
    return [at(['lobby', 'connectionsMax'], `${rule}: ${lobby.connectionsMax}`)]
  },
)

const accountsAreListed = rule(
  z.object({ accounts: anyMap, roles: mapOf(z.object({ account: z.string() })) }),
  ({ accounts, roles }) =>
    Object.entries(roles)
      .filter(([, { account }]) => !Object.hasOwn(accounts, account))
      .map(([name, { account }]) => {
        const rule = isBuiltIn(account)
          ? 'no role may live in a built-in account'
          : 'unknown account'
        const known = Object.keys(accounts).join(', ')
        return at(['roles', name, 'account'], `${rule}: ${show(account)} (one of ${known})`)
      }),
)

const legacyIsOne = rule(
  z.object({ roles: mapOf(z.object({ doors: z.array(z.unknown()).default([]) })) }),
  ({ roles }) => {
    const legacy = Object.entries(roles).filter(([, { doors }]) => doors.includes('legacy'))
    return legacy.slice(1).map(([name, { doors }]) => {
      const path = ['roles', name, 'doors', doors.indexOf('legacy')]
      return at(path, `only one role may have the door legacy, and ${legacy[0]?.[0]} has it`)
    })
  },
)

function repetitions<K, V>(entries: readonly (readonly [K, V])[]) {
  const firsts = new Map<V, K>()
  const found: { key: K; value: V; first: K }[] = []
  for (const [key, value] of entries) {
    const first = firsts.get(value)
    if (first === undefined) firsts.set(value, key)
    else found.push({ key, value, first })
  }
  return found
}
