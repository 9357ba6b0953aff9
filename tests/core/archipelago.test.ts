import { readFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import { parse } from 'yaml'
import { parseArchipelago } from '../../core/archipelago.ts'
import { edited, file, good, refusalOf } from './archipelago/example.ts'

test('reads the file that an operator edits', (t) => {
  const text = readFileSync(new URL('../../archipelago.yaml', import.meta.url), 'utf8')
  t.is(parseArchipelago(text, file).network, 'archipelago')
})

test('reads the example', (t) => {
  const archipelago = parseArchipelago(good, file)
  const { regions, roles, ...rest } = archipelago
  t.deepEqual(
    regions,
    ['ams3', 'sfo2', 'sgp1'].map((name) => ({
      name,
      addresses: [`${name}.nats.archipelago.example`],
      servers: 3,
      gateways: 'node-address',
      clients: 'node-address',
      nodes: [],
    })),
  )
  t.deepEqual(rest, {
    issuers: [],
    network: 'archipelago',
    trustDomain: 'archipelago.example',
    ports: {
      client: 4222,
      route: 6222,
      leafnode: 7422,
      gateway: 7522,
      monitor: 8222,
      workload: 9222,
      https: 8443,
      mtls: 8444,
    },
    laptop: { address: '127.0.0.1', firstPort: 14200 },
    server: { connectionsMax: 1000 },
    lobby: {
      connectionsMax: 100,
      connectionSecondsMax: 30,
      subscriptionsMax: 4,
      payloadBytesMax: 4096,
    },
    leafnode: { lifetimeSeconds: 86_400 },
    gitops: {
      repository: 'https://git.archipelago.example/archipelago.git',
      branch: 'main',
      signers: [],
    },
    identity: { leafLifetimeSeconds: 3600 },
    kubernetes: {
      namespace: 'nats',
      service: 'nats',
      clusterDomain: 'cluster.local',
      gatewayNodePort: 30_522,
      clientNodePort: 30_422,
      meshes: [],
    },
    accounts: [{ name: 'KUBECON', connectionsMax: 10_000 }],
  })
  t.deepEqual(roles[0], {
    name: 'member',
    account: 'KUBECON',
    doors: ['lobby'],
    identity: [],
    outside: false,
    lifetimeSeconds: 3600,
    publish: ['chat.KUBECON.online', 'chat.KUBECON.posts.*', 'chat.KUBECON.dms.*'],
    subscribe: ['chat.KUBECON.online', 'chat.KUBECON.posts.*', 'chat.KUBECON.dms.{{subject()}}'],
    subscriptionsMax: 32,
    payloadBytesMax: 65_536,
  })
  t.deepEqual(
    roles.map(({ name, doors, lifetimeSeconds }) => [name, doors, lifetimeSeconds]),
    [
      ['member', ['lobby'], 3600],
      ['moderator', ['invite'], 900],
    ],
  )
})

const addresses = 'addresses: [ams3.nats.archipelago.example]'

for (const [what, passage, by] of [
  ['a role without doors', '    doors: [lobby]\n', ''],
  ['a role with no door', 'doors: [lobby]', 'doors: []'],
  [
    'a role with every door',
    'doors: [lobby]',
    'doors: [lobby, invite, identity, legacy]\n    identity: [{ spiffeId: spiffe://a.example/workload }]',
  ],
  ['a role that may publish nothing', /publish: \[.*\]/.exec(good)?.[0] ?? '', 'publish: []'],
  ['nine servers', addresses, `${addresses}\n    servers: 9`],
  [
    'ports of clients right before those of gateways',
    'trustDomain: archipelago.example',
    'trustDomain: archipelago.example\nkubernetes: { clientNodePort: 30516 }',
  ],
  [
    'ports of clients right after those of gateways',
    'trustDomain: archipelago.example',
    'trustDomain: archipelago.example\nkubernetes: { clientNodePort: 30525 }',
  ],
  ['one server', addresses, `${addresses}\n    servers: 1`],
  ['IP addresses', addresses, 'addresses: [192.0.2.1, "2001:db8::1"]'],
  ['a region with the name of a property of every object', 'ams3:', 'constructor:'],
  ['an IPv6 laptop', 'address: 127.0.0.1', 'address: "::1"'],
  ['any loopback address', 'address: 127.0.0.1', 'address: 127.1.2.3'],
  ['the last ports of a laptop', 'firstPort: 14200', 'firstPort: 65236'],
  ['a lobby of half the connections', 'connectionsMax: 100\n', 'connectionsMax: 500\n'],
  ['the shortest life of a leafnode', 'lifetime: 24h', 'lifetime: 20s'],
  ['the longest life of a leafnode', 'lifetime: 24h', 'lifetime: 7d'],
  ['the shortest life of a role', 'lifetime: 1h', 'lifetime: 10s'],
  ['the longest life of a role', 'lifetime: 1h', 'lifetime: 1d'],
  ['the shortest stay in the lobby', 'connectionLifetime: 30s', 'connectionLifetime: 5s'],
  ['the longest stay in the lobby', 'connectionLifetime: 30s', 'connectionLifetime: 60m'],
  ['the longest network name', 'network: archipelago', `network: ${'a'.repeat(32)}`],
  ['a trust domain with _', 'trustDomain: archipelago.example', 'trustDomain: a_b.c-d.9'],
  ['a document marker', 'network:', '---\nnetwork:'],
] as const) {
  test(`accepts ${what}`, (t) => {
    t.deepEqual(refusalOf(edited(passage, by)), [])
  })
}

test('servers are three where nothing else is said', (t) => {
  const text = edited(addresses, `${addresses}\n    servers: 5`)
  t.deepEqual(
    parseArchipelago(text, file).regions.map(({ servers }) => servers),
    [5, 3, 3],
  )
})

test('the role member has no door where none is said', (t) => {
  const text = edited('    doors: [lobby]\n', '')
  t.deepEqual(parseArchipelago(text, file).roles[0]?.doors, [])
})

test('names with a meaning in JavaScript are only names', (t) => {
  const { regions } = parseArchipelago(edited('ams3:', 'constructor:'), file)
  t.is(regions[0]?.name, 'constructor')
})

test('windows line ends and a byte order mark change nothing', (t) => {
  const text = `\ufeff${good.replaceAll('\n', '\r\n')}`
  t.deepEqual(parseArchipelago(text, file), parseArchipelago(good, file))
})

test('refuses more than 256 KiB unread', (t) => {
  const filled = (bytes: number) => `${good}#${'x'.repeat(bytes - Buffer.byteLength(good) - 1)}`
  t.deepEqual(refusalOf(filled(262_144)), [])
  t.deepEqual(refusalOf(filled(262_145)), [`${file}:1:1: larger than 262144 bytes`])
})

test('names twenty faults and counts the rest', (t) => {
  const keys = Array.from({ length: 30 }, (_, at) => `key${at}: 1`).join('\n')
  const lines = refusalOf(`${good}${keys}\n`)
  t.is(lines.length, 21)
  const first = good.split('\n').length
  t.is(lines[0], `${file}:${first}:1: key0: unknown key`)
  t.is(lines[19], `${file}:${first + 19}:1: key19: unknown key`)
  t.is(lines[20], 'and 10 more')
})

// Each takes half a second; in quadratic time it would take minutes.
const secondsMax = 10

for (const [what, text] of [
  ['unknown keys', Array.from({ length: 30_000 }, (_, at) => `k${at}:`).join('\n')],
  ['equal keys', 'a: 1\n'.repeat(50_000)],
  ['open lists', '['.repeat(262_144)],
  ['open maps', '{a: '.repeat(65_536)],
  ['lists in lists', '- '.repeat(131_072)],
  ['lists in lists, closed', `a: ${'['.repeat(500)}${']'.repeat(500)}`],
  ['aliases of aliases', `a: &a [x]\n${'b: &a [*a, *a]\n'.repeat(1000)}`],
  ['equal doors', edited('doors: [lobby]', `doors: [${'lobby, '.repeat(30_000)}]`)],
  ['equal regions', edited('  ams3:', '  ams3: {addresses: [a]}\n'.repeat(9000) + '  ams3:')],
] as const) {
  test(`refuses thousands of ${what} without delay`, (t) => {
    const start = performance.now()
    const lines = refusalOf(text)
    t.true(performance.now() - start < secondsMax * 1000, `took more than ${secondsMax} s`)
    t.true(lines.length > 0 && lines.length <= 21)
    for (const line of lines) t.regex(line, /^archipelago\.yaml:\d+:\d+: .|^and \d+ more$/)
  })
}

const lineCount = good.split('\n').length
const passage = fc.tuple(fc.nat(good.length), fc.nat(40))
const fragment = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: fc.constantFrom(...' \n\t:-[]{},&*!|>%@`"\'#?~'), maxLength: 6 }),
  fc.constantFrom(
    '__proto__: 1\n',
    'null',
    '~',
    '1e999',
    '.nan',
    '0x10',
    '{}',
    '[]',
    '&a',
    '*a',
    '<<',
  ),
)

test('whatever is done to the example, it is read or refused with a place in it', (t) => {
  const isReadOrRefused = fc.property(passage, fragment, ([start, length], inserted) => {
    const text = good.slice(0, start) + inserted + good.slice(start + length)
    for (const line of refusalOf(text)) {
      const [, row, column] = /^archipelago\.yaml:(\d+):(\d+): ./.exec(line) ?? ['', '1', '1']
      t.regex(line, /^archipelago\.yaml:\d+:\d+: .|^and \d+ more$/)
      t.true(Number(row) >= 1 && Number(row) <= lineCount + inserted.length, line)
      t.true(Number(column) >= 1, line)
    }
  })
  fc.assert(isReadOrRefused, { numRuns: 500 })
})

const json: unknown = parse(good)

test('whatever value stands anywhere, it is accepted or refused', (t) => {
  const paths = pathsOf(json)
  const isReadOrRefused = fc.property(fc.constantFrom(...paths), fc.jsonValue(), (path, value) => {
    const changed = JSON.stringify(replaced(json, path, value))
    for (const line of refusalOf(changed)) {
      t.regex(line, /^archipelago\.yaml:1:\d+: .|^and \d+ more$/)
    }
  })
  fc.assert(isReadOrRefused, { numRuns: 500 })
})

function pathsOf(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null) return [[]]
  const below = Object.entries(value).flatMap(([key, child]) =>
    pathsOf(child).map((path) => [key, ...path]),
  )
  return [[], ...below]
}

function replaced(value: unknown, [key, ...path]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by
  const copy: Record<string, unknown> = structuredClone(value) as Record<string, unknown>
  copy[key] = replaced(copy[key], path, by)
  return copy
}
