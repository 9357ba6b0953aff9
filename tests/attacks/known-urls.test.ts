// Routes and gateways admit the names that they know, leafnodes their own region's: each rule is tried by
// a real nats-server with a certificate that breaks it alone, and again with the rule taken out.
import { randomBytes } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { authorityProfile } from '../../core/identity/authority.ts'
import { formatCertificates } from '../../core/identity/certificate.ts'
import { issueAuthority, type Issuer } from '../../core/identity/issue.ts'
import { noSubtrees, type Subtrees } from '../../core/identity/name-constraints.ts'
import { parseSpiffeId } from '../../core/identity/spiffe-id.ts'
import type { Configuration } from '../../core/network/configuration.ts'
import type { RegionPlace, ServerPlace } from '../../core/network/endpoint.ts'
import { leafnodePaths } from '../../laptop/layout.ts'
import { intermediatesFile } from '../../store/authority-files.ts'
import { writePrivate } from '../../store/files.ts'
import { readRoot } from '../../store/root.ts'
import { makeRoot } from '../core/identity/example.ts'
import { attempt, type Shown } from '../laptop/named/attempt.ts'
import { anchorsOf } from '../laptop/named/configure.ts'
import { makeNamedNetwork, type NamedNetwork } from '../laptop/named/make-network.ts'

let network: NamedNetwork
test.before(async () => {
  network = await makeNamedNetwork(2)
})
test.after.always(() => network?.[Symbol.asyncDispose]())

const domain = 'archipelago.example'
const nameOf = (server: string) => `${server}.${server.split('-')[0]}.${domain}`
const podNames = ['sfo2-0', 'sfo2-1'].map((pod) => `${pod}.nats.nats.svc.cluster.local`)

type Link = 'route' | 'gateway' | 'leafnode'
const blocks = { route: 'cluster', gateway: 'gateway', leafnode: 'leafnodes' } as const

type Change = (configuration: Configuration) => Configuration

const withTls =
  (link: Link, change: () => Configuration): Change =>
  (configuration) => {
    const block = Object(configuration[blocks[link]])
    return { ...configuration, [blocks[link]]: { ...block, tls: { ...block.tls, ...change() } } }
  }

const anyName = (link: Link) => withTls(link, () => ({ verify_cert_and_check_known_urls: false }))
const anyRegion = (link: Link) =>
  withTls(link, () => ({ ca_file: anchorsOf(network.store, 'sfo2').mesh }))
const trusting = (link: Link, authority: Issuer) => {
  const file = join(network.store.homes.data, `${randomBytes(6).toString('hex')}.pem`)
  writePrivate(file, formatCertificates([authority.certificate]))
  return withTls(link, () => ({ ca_file: file }))
}
const asItIs: Change = (configuration) => configuration

/** What dials this server, and takes itself for a server of this gateway's name. */
function dialling(link: Link, victim: Configuration, gatewayName = 'ams3') {
  const listen = '127.0.0.1:-1'
  const url = `tls://${Object(victim[blocks[link]]).listen}`
  const name = Object(victim['cluster']).name as string
  const { leafnode } = network.regions.find((region) => region.name === name) as RegionPlace
  const { credentials } = leafnodePaths(network.store.homes.data, leafnode)
  return (tls: Configuration): Configuration => {
    if (link === 'route') return { cluster: { name, listen, tls, routes: [url] } }
    const gateways = [{ name, urls: [url] }]
    if (link === 'gateway') return { gateway: { name: gatewayName, listen, tls, gateways } }
    const remote = { urls: [url], credentials, tls: { ...tls, handshake_first: true } }
    return { leafnodes: { remotes: [remote] } }
  }
}

interface As {
  readonly gatewayName?: string
  readonly server?: string
}

function dial(link: Link, shown: Shown, change: Change = asItIs, as: As = {}) {
  const { gatewayName, server = 'sfo2-0' } = as
  const victim = change(network.configurationOf(server))
  return attempt({ network, victim, shown, foreign: dialling(link, victim, gatewayName) })
}

const shows = (region: string, dns: string[], ips: string[] = []): Shown => ({
  leaf: { id: parseSpiffeId(`spiffe://${region}.${domain}/nats/server-0`), dns, ips },
  issuer: network.issuerOf(region),
})

/** A region's authority by another root or without its limit on addresses, for the same key. */
async function reissue(
  region: string,
  by: { root?: Issuer; excluded?: Subtrees },
): Promise<Issuer> {
  const { store } = network
  const place = { region, kind: 'identity', placement: 'distributed' } as const
  const { trustDomain, nameConstraints } = authorityProfile(store.archipelago, place)
  const { certificate, key } = network.issuerOf(region)
  const { root = await readRoot(store, 'identity'), excluded = nameConstraints.excluded } = by
  const profile = {
    ...(trustDomain !== undefined && { trustDomain }),
    nameConstraints: { ...nameConstraints, excluded },
  }
  const made = await issueAuthority(certificate.openssl.publicKey, profile, {
    ...{ issuer: root, commonName: region, nowMs: store.nowMs, lifetimeSeconds: 86_400 },
    serial: randomBytes(16),
  })
  return { certificate: made, key }
}

const unknownName = /authentication error/i
const unknownAuthority = /TLS \w+ handshake error: .*certificate signed by unknown authority/
const excludedAddress = /TLS \w+ handshake error: .*IP address .* excluded by constraint/

test.serial('a name that no URL has is refused as a route and as a gateway', async (t) => {
  const route = shows('sfo2', [`intruder.sfo2.${domain}`])
  t.regex(await dial('route', route), unknownName)
  t.is(await dial('route', route, anyName('route')), 'admitted')
  const gateway = shows('ams3', [`intruder.ams3.${domain}`])
  t.regex(await dial('gateway', gateway), unknownName)
  t.is(await dial('gateway', gateway, anyName('gateway')), 'admitted')
})

test.serial('no name at all is refused, whatever URI and subject there are', async (t) => {
  t.regex(await dial('route', shows('sfo2', [])), unknownName)
  t.regex(await dial('gateway', shows('ams3', [])), unknownName)
})

test.serial('another region’s certificate is refused as a route', async (t) => {
  const ams3 = shows('ams3', [nameOf('ams3-0')])
  t.regex(await dial('route', ams3), unknownAuthority)
  t.regex(await dial('route', ams3, anyRegion('route')), unknownName)
  const open: Change = (each) => anyName('route')(anyRegion('route')(each))
  t.is(await dial('route', ams3, open), 'admitted')
})

for (const [link, region, server] of [
  ['route', 'sfo2', 'sfo2-1'],
  ['gateway', 'ams3', 'ams3-0'],
] as const)
  test.serial(`an address is refused as a ${link}, beside a name that is known`, async (t) => {
    const shown = shows(region, [nameOf(server)], ['127.7.2.1'])
    t.regex(await dial(link, shown), excludedAddress)
    const weak = await reissue(region, { excluded: noSubtrees })
    t.is(await dial(link, { ...shown, issuer: weak }, trusting(link, weak)), 'admitted')
  })

test.serial('ams3’s certificate for pods of sfo2 is refused as a route to pods', async (t) => {
  const shown = shows('ams3', podNames)
  const toPods: Change = (configuration) => ({
    ...configuration,
    cluster: { ...Object(configuration['cluster']), routes: podNames.map((pod) => `tls://${pod}`) },
  })
  t.regex(await dial('route', shown, toPods), unknownAuthority)
  t.is(await dial('route', shown, (each) => anyRegion('route')(toPods(each))), 'admitted')
})

test.serial('and as a leafnode, with a stolen credential', async (t) => {
  const shown = shows('ams3', ['sfo2-leafnode.nats.svc.cluster.local', ...podNames])
  t.regex(await dial('leafnode', shown), unknownAuthority)
  t.is(await dial('leafnode', shown, anyRegion('leafnode')), 'admitted')
})

for (const [server, gatewayName] of [
  ['sfo2-0', 'ams3'],
  ['sgp1-1', 'sfo2'],
  ['ams3-1', 'sfo2'],
] as const)
  test.serial(`and as a gateway of ${server}, where ams3’s authority is trusted`, async (t) => {
    const shown = shows('ams3', podNames)
    const as = { server, gatewayName }
    t.regex(await dial('gateway', shown, asItIs, as), unknownName)
    t.is(await dial('gateway', shown, anyName('gateway'), as), 'admitted')
  })

test.serial(
  'an authority that no root of ours signed, in what git carries, admits nobody',
  async (t) => {
    const { homes } = network.store
    const planted = await reissue('sfo2', { root: await makeRoot(Date.now(), domain) })
    const file = intermediatesFile(homes.public, 'identity', 'sfo2')
    appendFileSync(file, formatCertificates([planted.certificate]))
    const shown = { ...shows('sfo2', [nameOf('sfo2-1')]), issuer: planted }
    t.regex(await dial('route', shown), unknownAuthority)
    t.is(await dial('route', shown, trusting('route', planted)), 'admitted')
  },
)

test.serial('which region a gateway says that it is, no certificate vouches for', async (t) => {
  const shown = shows('ams3', [nameOf('ams3-0')])
  t.is(await dial('gateway', shown, asItIs, { gatewayName: 'sgp1' }), 'admitted')
})

for (const [link, region, name] of [
  ['route', 'sfo2', nameOf('sfo2-1')],
  ['gateway', 'ams3', nameOf('ams3-0')],
  ['leafnode', 'sfo2', nameOf('sfo2-leafnode')],
] as const)
  test.serial(`with pins a key that is not pinned is refused as a ${link}`, async (t) => {
    const shown = shows(region, [name])
    const pinned: Change = () => network.configurationOf('sfo2-0', { isPinned: true })
    t.regex(await dial(link, shown, pinned), /TLS \w+ handshake error: certificate not pinned/)
    const unpinned: Change = (each) => withTls(link, () => ({ pinned_certs: [] }))(pinned(each))
    t.is(await dial(link, shown, unpinned), 'admitted')
  })

/** Stands where the name of a server of ours leads, and awaits whom it lures. */
function awaiting(link: Link, { route, gateway, leafnode }: ServerPlace) {
  const listen = (port: number) => `${route.listen}:${port}`
  const listenFirst = (tls: Configuration) => ({ ...tls, handshake_first: true })
  return (tls: Configuration): Configuration => {
    if (link === 'route') return { cluster: { name: 'sfo2', listen: listen(route.port), tls } }
    if (link === 'gateway') return { gateway: { name: 'ams3', listen: listen(gateway.port), tls } }
    return { leafnodes: { listen: listen(leafnode.port), tls: listenFirst(tls) } }
  }
}

function lure(link: Link, server: string, shown: Shown) {
  const servers = network.regions.flatMap((region) => region.servers)
  const place = servers.find(({ name }) => name === server) as ServerPlace
  const victim = network.configurationOf(link === 'leafnode' ? 'sfo2-leafnode' : 'sfo2-0')
  return attempt({ network, victim, shown, foreign: awaiting(link, place) })
}

for (const [link, server, other] of [
  ['route', 'sfo2-1', 'sfo2-0'],
  ['gateway', 'ams3-1', 'ams3-0'],
  ['leafnode', 'sfo2-1', 'sfo2-0'],
] as const)
  test.serial(`ours dials no ${link} that lacks the name of its URL`, async (t) => {
    const [region = ''] = server.split('-')
    const wrongName = new RegExp(`certificate is valid for ${nameOf(other)}, not ${nameOf(server)}`)
    t.regex(await lure(link, server, shows(region, [nameOf(other)])), wrongName)
    t.is(await lure(link, server, shows(region, [nameOf(server)])), 'admitted')
  })
