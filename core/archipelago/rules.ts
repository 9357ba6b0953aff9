// The rules between two places of archipelago.yaml. Each asks only for what it reads, so that it
// is told also when something else is wrong.
import { z } from 'zod'
import { canonicalAddress } from './address.ts'
import { type Problem, show } from './problem.ts'
import { archipelagoSchema, isBuiltIn } from './schema.ts'

const portsPerRegion = 100
const trustDomainCharactersMax = 255

export function brokenRules(source: unknown): Problem[] {
  return rules.flatMap((rule) => rule(source))
}

const { regions, ports, laptop, server, trustDomain } = archipelagoSchema.shape
const named = <T extends z.ZodType>(value: T) => z.record(z.string(), value)
const anything = named(z.unknown())

const rules = [
  rule(z.object({ ports }), ({ ports }) =>
    repeated(Object.entries(ports)).map(({ key, value, first }) =>
      at(['ports', key], `same port as ports.${first}: ${value}`),
    ),
  ),

  rule(z.object({ regions }), ({ regions }) => {
    const entries = Object.entries(regions).flatMap(([region, { addresses }]) =>
      addresses.map(
        (address, index) => [['regions', region, 'addresses', index], address] as const,
      ),
    )
    const spelled = entries.map(([path, address]) => [path, canonicalAddress(address)] as const)
    return repeated(spelled).map(({ key, value, first }) =>
      at(key, `same address as in ${first.slice(0, 2).join('.')}: ${show(value)}`),
    )
  }),

  rule(z.object({ regions: anything, trustDomain }), ({ regions, trustDomain }) =>
    Object.keys(regions)
      .filter((region) => `${region}.${trustDomain}`.length > trustDomainCharactersMax)
      .slice(0, 1)
      .map((region) =>
        at(
          ['trustDomain'],
          `too long for the trust domain of region ${region}, at most ${trustDomainCharactersMax} with it: ${show(trustDomain)}`,
        ),
      ),
  ),

  rule(z.object({ regions: anything, laptop }), ({ regions, laptop: { firstPort } }) => {
    const firstPortMax = 65_536 - portsPerRegion * Object.keys(regions).length
    if (firstPort <= firstPortMax) return []
    const rule = `must leave ${portsPerRegion} ports below 65536 for each region, so at most ${firstPortMax}`
    return [at(['laptop', 'firstPort'], `${rule}: ${firstPort}`)]
  }),

  rule(z.object({ server, lobby: z.object({ connectionsMax: z.int() }) }), ({ server, lobby }) => {
    const most = Math.floor(server.connectionsMax / 2)
    if (lobby.connectionsMax <= most) return []
    const rule = `must be at most half of server.connectionsMax (${most}), for the lobby is open to all and may meet on one server, where members need a reserve`
    return [at(['lobby', 'connectionsMax'], `${rule}: ${lobby.connectionsMax}`)]
  }),

  rule(
    z.object({ accounts: anything, roles: named(z.object({ account: z.string() })) }),
    ({ accounts, roles }) =>
      Object.entries(roles).flatMap(([name, { account }]) => {
        const path = ['roles', name, 'account']
        if (isBuiltIn(account))
          return [at(path, `no role may live in a built-in account: ${show(account)}`)]
        if (Object.hasOwn(accounts, account)) return []
        const known = Object.keys(accounts).join(', ')
        return [at(path, `unknown account: ${show(account)} (one of ${known})`)]
      }),
  ),

  rule(
    z.object({ roles: named(z.object({ doors: z.array(z.unknown()).default([]) })) }),
    ({ roles }) =>
      Object.entries(roles)
        .filter(([, { doors }]) => doors.includes('legacy'))
        .slice(1)
        .map(([name, { doors }]) =>
          at(
            ['roles', name, 'doors', doors.indexOf('legacy')],
            `only one role may have the door legacy: ${show(name)}`,
          ),
        ),
  ),
]

function rule<T extends z.ZodType>(needs: T, check: (source: z.output<T>) => Problem[]) {
  return (source: unknown): Problem[] => {
    const read = needs.safeParse(source)
    return read.success ? check(read.data) : []
  }
}

const at = (path: readonly PropertyKey[], message: string): Problem => ({
  path,
  at: 'value',
  message,
})

function repeated<K, V>(entries: readonly (readonly [K, V])[]) {
  const firsts = new Map<V, K>()
  const again: { key: K; value: V; first: K }[] = []
  for (const [key, value] of entries) {
    const first = firsts.get(value)
    if (first === undefined) firsts.set(value, key)
    else again.push({ key, value, first })
  }
  return again
}
