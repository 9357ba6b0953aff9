// Pins of peers in the configurations of servers: who may be at the other end of a route or gateway.
import type { Configuration, ConfigurationValue } from './configuration.ts'

/**
 * Configurations that pin somebody whom their successors pin no more, with the pins of their
 * successors and everything else as it was.
 */
export function withoutOldPins(
  before: ReadonlyMap<string, Configuration>,
  after: ReadonlyMap<string, Configuration>,
): Map<string, Configuration> {
  const pairs = [...before].flatMap(([name, old]) => {
    const now = after.get(name)
    return now !== undefined && links.some((link) => lessens(old[link], now[link]))
      ? [[name, takePins(old, now)] as const]
      : []
  })
  return new Map(pairs)
}

const links = ['cluster', 'gateway']

const takePins = (old: Configuration, now: Configuration): Configuration =>
  links.reduce((taken, link) => {
    const [block, pins] = [blockOf(old[link]), pinsOf(now[link])]
    if (block === undefined || pins === undefined) return taken
    return { ...taken, [link]: { ...block, tls: { ...blockOf(block['tls']), pinned_certs: pins } } }
  }, old)

function lessens(old: ConfigurationValue | undefined, now: ConfigurationValue | undefined) {
  const pins = pinsOf(now)
  return pins !== undefined && (pinsOf(old) ?? []).some((pin) => !pins.includes(pin))
}

function pinsOf(link: ConfigurationValue | undefined): readonly ConfigurationValue[] | undefined {
  const pins = blockOf(blockOf(link)?.['tls'])?.['pinned_certs']
  return Array.isArray(pins) ? pins : undefined
}

const blockOf = (value: ConfigurationValue | undefined): Configuration | undefined =>
  typeof value === 'object' && !Array.isArray(value) ? (value as Configuration) : undefined
