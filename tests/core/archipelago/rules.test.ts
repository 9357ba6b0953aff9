import test from 'ava'
import { quote } from '../../../core/quote.ts'
import { edited, file, refusalOf } from './example.ts'

const addresses = 'addresses: [ams3.nats.archipelago.example]'

for (const [passage, by, lines] of [
  [
    'network: archipelago',
    'network: Archipelago',
    ["3:10: network: illegal network name: 'Archipelago' (a lower-case DNS label, at most 32)"],
  ],
  [
    'network: archipelago',
    'network: -a',
    ["3:10: network: illegal network name: '-a' (a lower-case DNS label, at most 32)"],
  ],
  [
    'network: archipelago',
    `network: ${'a'.repeat(33)}`,
    [
      `3:10: network: illegal network name: '${'a'.repeat(33)}' (a lower-case DNS label, at most 32)`,
    ],
  ],
  [
    'network: archipelago',
    'network: 7',
    ['3:10: network: illegal network name: 7 (a lower-case DNS label, at most 32)'],
  ],
  [
    'network: archipelago',
    'network:',
    ['3:9: network: illegal network name: nothing (a lower-case DNS label, at most 32)'],
  ],
  ['network: archipelago\n', '', ['3:1: network: missing']],
  [
    'trustDomain: archipelago.example',
    'trustDomain: Archipelago.example',
    [
      "4:14: trustDomain: illegal trust domain: 'Archipelago.example' (a-z, 0-9, ., _ and -, at most 255)",
    ],
  ],
  [
    'trustDomain: archipelago.example',
    'trustDomain: a..b',
    ["4:14: trustDomain: illegal trust domain: 'a..b' (a-z, 0-9, ., _ and -, at most 255)"],
  ],
  [
    'trustDomain: archipelago.example',
    'trustDomain: a.b.',
    ["4:14: trustDomain: illegal trust domain: 'a.b.' (a-z, 0-9, ., _ and -, at most 255)"],
  ],
  [
    'trustDomain: archipelago.example',
    'trustDomain: spiffe://a.b',
    ["4:14: trustDomain: illegal trust domain: 'spiffe://a.b' (a-z, 0-9, ., _ and -, at most 255)"],
  ],
  [
    'trustDomain: archipelago.example',
    'trustDomain: nats.svc.cluster.local',
    [
      "4:14: trustDomain: must not lie in kubernetes.clusterDomain, cluster.local: 'nats.svc.cluster.local'",
    ],
  ],
  ...[30_517, 30_522, 30_524].map((first): [string, string, string[]] => [
    'trustDomain: archipelago.example',
    `trustDomain: archipelago.example\nkubernetes: { clientNodePort: ${first} }`,
    [
      `5:31: kubernetes.clientNodePort: must leave out the ports of gateways, 30522 to 30524, with the five after it: ${first}`,
    ],
  ]),
  [
    addresses,
    `${addresses}\n    clients: everywhere`,
    [
      "9:14: regions.ams3.clients: unknown way in for clients: 'everywhere' (one of node-address, load-balancer, cluster)",
    ],
  ],
  ...[
    'http://git.example/a.git',
    'https://user:secret@git.example/a.git',
    'https://git.example/*',
    'https://git.example/{a,b}',
    '!https://git.example/a.git',
    'git.example/a.git',
  ].map((repository): [string, string, string[]] => [
    'trustDomain: archipelago.example',
    `trustDomain: archipelago.example\ngitops: { repository: '${repository}' }`,
    [
      `5:23: gitops.repository: illegal repository: ${quote(repository)} (https://, ssh:// or file://, without a password or a pattern; at most 512)`,
    ],
  ]),
  [
    'trustDomain: archipelago.example',
    'trustDomain: archipelago.example\ngitops: { branch: -main, signers: [ABCD] }',
    [
      "5:19: gitops.branch: illegal branch: '-main' (letters, digits, _, -, single . and / between them)",
      "5:36: gitops.signers: illegal fingerprint: 'ABCD' (of an OpenPGP key: 40 upper-case hexadecimal digits)",
    ],
  ],
  [
    'trustDomain: archipelago.example',
    'trustDomain: archipelago.example\nkubernetes: { clusterDomain: archipelago.example }',
    [
      "4:14: trustDomain: must not lie in kubernetes.clusterDomain, archipelago.example: 'archipelago.example'",
    ],
  ],
  [
    'trustDomain: archipelago.example',
    'trustDomain: archipelago.example\nkubernetes: { clusterDomain: a..b, namespace: A }',
    [
      "5:30: kubernetes.clusterDomain: illegal cluster domain: 'a..b' (a lower-case DNS name)",
      "5:47: kubernetes.namespace: illegal namespace: 'A' (a lower-case DNS label, at most 32)",
    ],
  ],
  [
    'trustDomain: archipelago.example',
    'trustDomain: archipelago.example\nkubernetes: { namespace: istio-system, meshes: [consul] }',
    [
      "5:26: kubernetes.namespace: namespace of a mesh: 'istio-system' (one of its own)",
      "5:49: kubernetes.meshes: unknown mesh: 'consul' (one of istio, linkerd, osm)",
    ],
  ],
  [
    'ams3:',
    'lobby:',
    [
      "7:3: regions.lobby: reserved name: 'lobby' (not lobby, invite, identity, legacy, operator, public, run)",
    ],
  ],
  [
    'ams3:',
    'public:',
    [
      "7:3: regions.public: reserved name: 'public' (not lobby, invite, identity, legacy, operator, public, run)",
    ],
  ],
  [
    'ams3:',
    '3ams:',
    ["7:3: regions.3ams: illegal region name: '3ams' (a lower-case DNS label, at most 32)"],
  ],
  [
    'ams3:',
    'ams3-:',
    ["7:3: regions.ams3-: illegal region name: 'ams3-' (a lower-case DNS label, at most 32)"],
  ],
  [
    'ams3:',
    'Ams3:',
    ["7:3: regions.Ams3: illegal region name: 'Ams3' (a lower-case DNS label, at most 32)"],
  ],
  [
    'ams3:',
    'ams_3:',
    ["7:3: regions.ams_3: illegal region name: 'ams_3' (a lower-case DNS label, at most 32)"],
  ],
  [`  ams3:\n    ${addresses}`, '  ams3: {}', ['7:3: regions.ams3.addresses: missing']],
  [`  ams3:\n    ${addresses}`, '  ams3: 7', ['7:9: regions.ams3: must be a map: 7']],
  [addresses, 'addresses: []', ['8:16: regions.ams3.addresses: must hold 1 to 9 entries: 0']],
  [
    addresses,
    'addresses: ams3.example',
    ["8:16: regions.ams3.addresses: must be a list: 'ams3.example'"],
  ],
  [
    addresses,
    'addresses: [Ams3.example]',
    [
      "8:17: regions.ams3.addresses: illegal address: 'Ams3.example' (a lower-case DNS name or an IP address)",
    ],
  ],
  [
    addresses,
    'addresses: [256.1.1.1]',
    [
      "8:17: regions.ams3.addresses: illegal address: '256.1.1.1' (a lower-case DNS name or an IP address)",
    ],
  ],
  [
    addresses,
    'addresses: [10]',
    ['8:17: regions.ams3.addresses: illegal address: 10 (a lower-case DNS name or an IP address)'],
  ],
  [
    addresses,
    'addresses: [a..b]',
    [
      "8:17: regions.ams3.addresses: illegal address: 'a..b' (a lower-case DNS name or an IP address)",
    ],
  ],
  [
    addresses,
    'addresses: ["*.example"]',
    [
      "8:17: regions.ams3.addresses: illegal address: '*.example' (a lower-case DNS name or an IP address)",
    ],
  ],
  [
    addresses,
    'addresses: ["tls://a.example"]',
    [
      "8:17: regions.ams3.addresses: illegal address: 'tls://a.example' (a lower-case DNS name or an IP address)",
    ],
  ],
  [
    addresses,
    'addresses: ["a.example:4222"]',
    [
      "8:17: regions.ams3.addresses: illegal address: 'a.example:4222' (a lower-case DNS name or an IP address)",
    ],
  ],
  [
    addresses,
    'addresses: ["fe80::1%eth0"]',
    [
      "8:17: regions.ams3.addresses: illegal address: 'fe80::1%eth0' (a lower-case DNS name or an IP address)",
    ],
  ],
  [
    addresses,
    'addresses: [sfo2.nats.archipelago.example]',
    [
      "10:17: regions.sfo2.addresses: also an address of region ams3: 'sfo2.nats.archipelago.example'",
    ],
  ],
  [
    addresses,
    'addresses: [a.example, a.example]',
    ["8:28: regions.ams3.addresses: listed twice: 'a.example'"],
  ],
  [
    addresses,
    `${addresses}\n    servers: 0`,
    ['9:14: regions.ams3.servers: must be a whole number from 1 to 9: 0'],
  ],
  [
    addresses,
    `${addresses}\n    servers: 10`,
    ['9:14: regions.ams3.servers: must be a whole number from 1 to 9: 10'],
  ],
  [
    addresses,
    `${addresses}\n    servers: 2.5`,
    ['9:14: regions.ams3.servers: must be a whole number from 1 to 9: 2.5'],
  ],
  [
    addresses,
    `${addresses}\n    servers: "3"`,
    ["9:14: regions.ams3.servers: must be a whole number from 1 to 9: '3'"],
  ],
  [addresses, `${addresses}\n    server: 3`, ['9:5: regions.ams3.server: unknown key']],
  [
    `${addresses}\n  sfo2:\n    addresses: [sfo2.nats.archipelago.example]`,
    'addresses: ["2001:db8::1"]\n  sfo2:\n    addresses: ["2001:db8:0:0::1"]',
    ["10:17: regions.sfo2.addresses: also an address of region ams3: '[2001:db8::1]'"],
  ],
  ['client: 4222', 'client: 0', ['16:11: ports.client: must be a whole number from 1 to 65535: 0']],
  [
    'client: 4222',
    'client: 65536',
    ['16:11: ports.client: must be a whole number from 1 to 65535: 65536'],
  ],
  ['client: 4222', 'client: 6222', ['17:10: ports.route: same port as ports.client: 6222']],
  ['  client: 4222\n', '', ['15:1: ports.client: missing']],
  [
    'client: 4222',
    'clients: 4222',
    ['15:1: ports.client: missing', '16:3: ports.clients: unknown key'],
  ],
  [
    'address: 127.0.0.1',
    'address: 0.0.0.0',
    ["26:12: laptop.address: not a loopback address: '0.0.0.0' (such as 127.0.0.1 or ::1)"],
  ],
  [
    'address: 127.0.0.1',
    'address: localhost',
    ["26:12: laptop.address: not a loopback address: 'localhost' (such as 127.0.0.1 or ::1)"],
  ],
  [
    'address: 127.0.0.1',
    'address: "::2"',
    ["26:12: laptop.address: not a loopback address: '::2' (such as 127.0.0.1 or ::1)"],
  ],
  [
    'address: 127.0.0.1',
    'address: 127.1',
    ['26:12: laptop.address: not a loopback address: 127.1 (such as 127.0.0.1 or ::1)'],
  ],
  [
    'firstPort: 14200',
    'firstPort: 1023',
    ['27:14: laptop.firstPort: must be a whole number from 1024 to 65436: 1023'],
  ],
  [
    'firstPort: 14200',
    'firstPort: 65237',
    [
      '27:14: laptop.firstPort: must leave 100 ports below 65536 for each region, so at most 65236: 65237',
    ],
  ],
  [
    'firstPort: 14200',
    'firstPort: 65437',
    ['27:14: laptop.firstPort: must be a whole number from 1024 to 65436: 65437'],
  ],
  [
    'server:\n  connectionsMax: 1000',
    'server:\n  connectionsMax: 1',
    ['30:19: server.connectionsMax: must be a whole number from 2 to 1000000: 1'],
  ],
  [
    'server:\n  connectionsMax: 1000',
    'server:\n  connectionsMax: 199',
    [
      '34:19: lobby.connectionsMax: must be at most half of server.connectionsMax, so 99, for the whole lobby may meet on one server, where members need a reserve: 100',
    ],
  ],
  [
    'connectionsMax: 100\n',
    'connectionsMax: 501\n',
    [
      '34:19: lobby.connectionsMax: must be at most half of server.connectionsMax, so 500, for the whole lobby may meet on one server, where members need a reserve: 501',
    ],
  ],
  [
    'connectionLifetime: 30s',
    'connectionLifetime: 4s',
    [
      "35:23: lobby.connectionLifetime: illegal duration: '4s' (from 5s to 1h, such as 30s, 15m, 1h or 7d)",
    ],
  ],
  [
    'connectionLifetime: 30s',
    'connectionLifetime: 61m',
    [
      "35:23: lobby.connectionLifetime: illegal duration: '61m' (from 5s to 1h, such as 30s, 15m, 1h or 7d)",
    ],
  ],
  [
    'connectionLifetime: 30s',
    'connectionLifetime: 30',
    [
      '35:23: lobby.connectionLifetime: illegal duration: 30 (from 5s to 1h, such as 30s, 15m, 1h or 7d)',
    ],
  ],
  [
    'connectionLifetime: 30s',
    'connectionLifetime: 1m30s',
    [
      "35:23: lobby.connectionLifetime: illegal duration: '1m30s' (from 5s to 1h, such as 30s, 15m, 1h or 7d)",
    ],
  ],
  [
    'subscriptionsMax: 4',
    'subscriptionsMax: 65',
    ['36:21: lobby.subscriptionsMax: must be a whole number from 1 to 64: 65'],
  ],
  [
    'payloadBytesMax: 4096',
    'payloadBytesMax: 4095',
    ['37:20: lobby.payloadBytesMax: must be a whole number from 4096 to 65536: 4095'],
  ],
  [
    'payloadBytesMax: 4096',
    'payloadBytesMax: 4KiB',
    ["37:20: lobby.payloadBytesMax: must be a whole number from 4096 to 65536: '4KiB'"],
  ],
  [
    'lifetime: 24h',
    'lifetime: 19s',
    [
      "40:13: leafnode.lifetime: illegal duration: '19s' (from 20s to 7d, such as 30s, 15m, 1h or 7d)",
    ],
  ],
  [
    'lifetime: 24h',
    'lifetime: 8d',
    [
      "40:13: leafnode.lifetime: illegal duration: '8d' (from 20s to 7d, such as 30s, 15m, 1h or 7d)",
    ],
  ],
  [
    'KUBECON:',
    'kubecon:',
    [
      "43:3: accounts.kubecon: illegal account name: 'kubecon' (upper-case letters, digits and _, at most 32)",
      "49:14: roles.member.account: unknown account: 'KUBECON' (one of kubecon)",
      "57:14: roles.moderator.account: unknown account: 'KUBECON' (one of kubecon)",
    ],
  ],
  [
    'KUBECON:',
    'SYS:',
    [
      "43:3: accounts.SYS: built-in account: 'SYS'",
      "49:14: roles.member.account: unknown account: 'KUBECON' (one of SYS)",
      "57:14: roles.moderator.account: unknown account: 'KUBECON' (one of SYS)",
    ],
  ],
  [
    'KUBECON:',
    '"KUBE CON":',
    [
      "43:3: accounts.'KUBE CON': illegal account name: 'KUBE CON' (upper-case letters, digits and _, at most 32)",
      "49:14: roles.member.account: unknown account: 'KUBECON' (one of KUBE CON)",
      "57:14: roles.moderator.account: unknown account: 'KUBECON' (one of KUBE CON)",
    ],
  ],
  ['    connectionsMax: 10000', '    {}', ['43:3: accounts.KUBECON.connectionsMax: missing']],
  [
    'account: KUBECON',
    'account: ACCESS',
    [
      "49:14: roles.member.account: no role may live in a built-in account: 'ACCESS' (one of KUBECON)",
    ],
  ],
  [
    'account: KUBECON',
    'account: KUBECONN',
    ["49:14: roles.member.account: unknown account: 'KUBECONN' (one of KUBECON)"],
  ],
  [
    'account: KUBECON',
    'account: 1',
    ['49:14: roles.member.account: must be the name of an account: 1'],
  ],
  [
    'member:',
    'Member:',
    [
      "48:3: roles.Member: illegal role name: 'Member' (lower-case letters, digits and -, at most 32)",
    ],
  ],
  [
    'doors: [lobby]',
    'doors: [loby]',
    ["50:13: roles.member.doors: unknown door: 'loby' (one of lobby, invite, identity, legacy)"],
  ],
  ['doors: [lobby]', 'doors: lobby', ["50:12: roles.member.doors: must be a list: 'lobby'"]],
  ['doors: [lobby]', 'doors: [lobby, lobby]', ["50:20: roles.member.doors: listed twice: 'lobby'"]],
  [
    'doors: [lobby]',
    'doors: [1]',
    ['50:13: roles.member.doors: unknown door: 1 (one of lobby, invite, identity, legacy)'],
  ],
  ['doors: [lobby]', 'door: [lobby]', ['50:5: roles.member.door: unknown key']],
  [
    'lifetime: 1h',
    'lifetime: 9s',
    [
      "51:15: roles.member.lifetime: illegal duration: '9s' (from 10s to 24h, such as 30s, 15m, 1h or 7d)",
    ],
  ],
  [
    'lifetime: 1h',
    'lifetime: 25h',
    [
      "51:15: roles.member.lifetime: illegal duration: '25h' (from 10s to 24h, such as 30s, 15m, 1h or 7d)",
    ],
  ],
  [
    'lifetime: 1h',
    'lifetime: 0s',
    [
      "51:15: roles.member.lifetime: illegal duration: '0s' (from 10s to 24h, such as 30s, 15m, 1h or 7d)",
    ],
  ],
  [
    'subscriptionsMax: 32',
    'subscriptionsMax: 0',
    ['54:23: roles.member.subscriptionsMax: must be a whole number from 1 to 10000: 0'],
  ],
  [
    'payloadBytesMax: 65536',
    'payloadBytesMax: 1048577',
    ['55:22: roles.member.payloadBytesMax: must be a whole number from 1 to 1048576: 1048577'],
  ],
  [
    'publish: [chat.KUBECON.online',
    'publish: [chat.KUBECON.dms.*',
    ["52:57: roles.member.publish: listed twice: 'chat.KUBECON.dms.*'"],
  ],
  [
    'subscribe: [',
    'subscribe: [chat.KUBECON.posts.*, ',
    ["53:60: roles.member.subscribe: listed twice: 'chat.KUBECON.posts.*'"],
  ],
  ['network: archipelago', '1: b', ['3:1: network: missing', '3:1: 1: unknown key']],
] as const) {
  test(`refuses ${quote(by)} for ${quote(passage)}`, (t) => {
    t.deepEqual(
      refusalOf(edited(passage, by)),
      lines.map((line) => `${file}:${line}`),
    )
  })
}

test('refuses a trust domain of more than 255 characters', (t) => {
  const [line] = refusalOf(
    edited('trustDomain: archipelago.example', `trustDomain: ${'a'.repeat(256)}`),
  )
  t.regex(line ?? '', /^archipelago.yaml:4:14: trustDomain: illegal trust domain: 'a{80}…'/)
})

test('refuses a trust domain that leaves no room for those of the regions', (t) => {
  const ofLength = (length: number) =>
    refusalOf(edited('trustDomain: archipelago.example', `trustDomain: ${'a'.repeat(length)}`))
  t.deepEqual(ofLength(250), [])
  const rule = 'must leave room for the names of regions, so at most 250 characters'
  t.deepEqual(ofLength(251), [`${file}:4:14: trustDomain: ${rule}: '${'a'.repeat(80)}…'`])
})

test('refuses the door legacy for two roles', (t) => {
  const text = edited('doors: [lobby]', 'doors: [legacy]')
  t.deepEqual(refusalOf(text), [])
  t.deepEqual(refusalOf(text.replace('doors: [invite]', 'doors: [invite, legacy]')), [
    `${file}:58:21: roles.moderator.doors: only one role may have the door legacy, and member has it`,
  ])
})

test('tells all that is wrong at once, in the order of the file', (t) => {
  const text = edited('client: 4222', 'client: 6222')
    .replace('lifetime: 24h', 'lifetime: 8d')
    .replace('account: KUBECON', 'account: SYS')
    .replace('doors: [invite]', 'doors: [invte]')
    .replace('connectionsMax: 100\n', 'connectionsMax: 900\n')
  t.deepEqual(
    refusalOf(text).map((line) => line.split(': ').slice(0, 2)),
    [
      [`${file}:17:10`, 'ports.route'],
      [`${file}:34:19`, 'lobby.connectionsMax'],
      [`${file}:40:13`, 'leafnode.lifetime'],
      [`${file}:49:14`, 'roles.member.account'],
      [`${file}:58:13`, 'roles.moderator.doors'],
    ],
  )
})
