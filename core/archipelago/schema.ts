// The shape of archipelago.yaml; archipelago.schema.json is rendered from it. What concerns two
// places of the file at once is in rules.ts.
import * as z from 'zod'
import { doors } from '../access/door.ts'
import { meshes, meshPlaces } from '../identity/mesh.ts'
import { isLoopback } from './address.ts'
import { identityEntrySchema, issuerSchema } from './identity-schema.ts'
import { type Direction, permissionProblem } from './permission.ts'
import { regionSchema as region } from './region-schema.ts'
import { broken, duration, list, namedMap, text, whole } from './terms.ts'

const builtInAccounts = ['SYS', 'LOBBY', 'ACCESS', 'LEGACY', 'ENROLL'] as const

// These name other things where a region's name stands: folders of the trust, subjects of requests.
const reserved: readonly string[] = [...doors, 'operator', 'public', 'run']

// As RFC 1035 has it, which names of Kubernetes services follow: the first is a letter.
const label = (rule: string) =>
  text(/^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$/, broken(rule, 'a lower-case DNS label, at most 32'))

const regionName = label('illegal region name').refine(
  (name) => !reserved.includes(name),
  broken('reserved name', `not ${reserved.join(', ')}`),
)

export const isBuiltIn = (name: string) => (builtInAccounts as readonly string[]).includes(name)

const accountName = text(
  /^[A-Z][A-Z0-9_]{0,31}$/,
  broken('illegal account name', 'upper-case letters, digits and _, at most 32'),
).refine((name) => !isBuiltIn(name), broken('built-in account'))

const roleName = text(
  /^[a-z][a-z0-9-]{0,31}$/,
  broken('illegal role name', 'lower-case letters, digits and -, at most 32'),
)

const illegalTrustDomain = broken('illegal trust domain', 'a-z, 0-9, ., _ and -, at most 255')
const trustDomain = text(/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/, illegalTrustDomain)
  .max(255, illegalTrustDomain)
  .describe('SPIFFE trust domain; each region has its own below it, `<region>.<trust domain>`.')

const port = (what: string) => whole(1, 65_535).describe(what)

const ports = z.strictObject({
  client: port('Clients: people and programs, by JWT.'),
  route: port('Routes between the servers of a region.'),
  leafnode: port('Leafnodes: the region’s functions and agents.'),
  gateway: port('Gateways between regions.'),
  monitor: port('Monitoring, on loopback or inside the pod only.'),
  workload: port('Workloads: WebSocket, with a certificate of their identity.'),
  https: port('HTTPS door of the provisioning function.'),
  mtls: port('HTTPS for workloads: both ends show certificates.'),
})

const illegalLoopback = broken('not a loopback address', 'such as 127.0.0.1 or ::1')
const laptop = z.strictObject({
  address: z
    .string(illegalLoopback)
    .refine(isLoopback, illegalLoopback)
    .describe('The loopback address that all servers share.'),
  firstPort: whole(1024, 65_436).describe('Each region takes the next 100 ports from here.'),
})

const server = z.strictObject({
  connectionsMax: whole(2, 1_000_000).describe('Connections that one server accepts.'),
})

const payloadBytesMax = (min: number, max: number) =>
  whole(min, max).describe('Bytes of one message, headers included.')

const lobby = z.strictObject({
  connectionsMax: whole(1, 500_000).describe(
    'Connections in the lobby, over all regions; at most half of what one server accepts.',
  ),
  connectionLifetime: duration('Longest life of a connection', '5s', '1h'),
  subscriptionsMax: whole(1, 64).describe('Subscriptions of one connection.'),
  payloadBytesMax: payloadBytesMax(4096, 65_536),
})

const leafnode = z.strictObject({
  lifetime: duration('Life of a leafnode’s credential, renewed at half of it', '20s', '7d'),
})

// Whoever rules there would read the keys of a region's authorities.
const ofMeshes = Object.values(meshPlaces).map(({ namespace }) => namespace)

const illegalClusterDomain = broken('illegal cluster domain', 'a lower-case DNS name')
const kubernetes = z.strictObject({
  namespace: label('illegal namespace')
    .refine((name) => !ofMeshes.includes(name), broken('namespace of a mesh', 'one of its own'))
    .default('nats')
    .describe('Where the processes of a region run.'),
  service: label('illegal service name')
    .default('nats')
    .describe('The headless service that gives each server its name.'),
  clusterDomain: text(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/, illegalClusterDomain)
    .max(253, illegalClusterDomain)
    .default('cluster.local')
    .describe('The domain of every region’s cluster.'),
  gatewayNodePort: whole(1, 65_527)
    .default(30_522)
    .describe('Port of the first server’s gateway on every node; each next server has the next.'),
  clientNodePort: whole(1, 65_530)
    .default(30_422)
    .describe(
      'Port of clients on every node; the next five are those of workloads, of the doors lobby, invite and identity, and of the door for workloads.',
    ),
  meshes: list(z.enum(meshes, broken('unknown mesh', `one of ${meshes.join(', ')}`)), {
    min: 0,
    max: meshes.length,
  })
    .default([])
    .describe('Service meshes in every region’s cluster that get an authority of the region.'),
})

const illegalRepository = broken(
  'illegal repository',
  'https://, ssh:// or file://, without a password or a pattern; at most 512',
)
const gitops = z.strictObject({
  // Argo CD reads a project's repositories as patterns: nothing that is one may stand here.
  repository: text(
    /^(https:\/\/|ssh:\/\/([a-z0-9_-]+@)?|file:\/\/\/)[\w.~/-]+(:\d{1,5})?[\w.~/-]*$/i,
    illegalRepository,
  )
    .max(512, illegalRepository)
    .optional()
    .describe(
      'Where every region’s own Argo CD pulls from; `https://git.<trust domain>/<network>.git` by default.',
    ),
  branch: text(
    /^[a-z0-9][a-z0-9_-]*([./][a-z0-9_-]+)*$/i,
    broken('illegal branch', 'letters, digits, _, -, single . and / between them'),
  )
    .default('main')
    .describe(
      'What is pulled; a region’s servers wait until promote moves them to a commit of it.',
    ),
  signers: list(
    text(
      /^[0-9A-F]{40}$/,
      broken('illegal fingerprint', 'of an OpenPGP key: 40 upper-case hexadecimal digits'),
    ),
    { min: 0, max: 16 },
  )
    .default([])
    .describe('Whose signature every commit must have; without any, unsigned commits deploy too.'),
})

const identity = z.strictObject({
  leafLifetime: duration('Life of a certificate, renewed at half of it', '10m', '24h').prefault(
    '1h',
  ),
})

const account = z.strictObject({
  connectionsMax: whole(1, 10_000_000).describe('Connections of the account, over all regions.'),
})

const door = z.enum(doors, broken('unknown door', `one of ${doors.join(', ')}`))

const permission = (direction: Direction) =>
  z.string(broken('illegal subject')).superRefine((subject, context) => {
    const message = permissionProblem(direction, subject)
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  })

const role = z.strictObject({
  account: z.string(broken('must be the name of an account')).describe('The account it lives in.'),
  doors: list(door, { min: 0, max: doors.length })
    .default([])
    .describe(
      'How one may come to it: lobby (anyone, by a name of his choice: the role is public), invite (a file signed by the operator), identity (token or certificate of a workload), legacy (a bare name, answered with a seed made by the server; one role only). Without doors nobody comes.',
    ),
  identity: list(identityEntrySchema, { min: 0, max: 64 })
    .default([])
    .describe('Who comes to it by the door identity; nobody else does.'),
  outside: z
    .boolean(broken('must be true or false'))
    .default(false)
    .describe(
      'Who comes by a token has no certificate of this network (a build, a device), and connects where people do. Default: workloads connect to the port workload, with their certificate.',
    ),
  lifetime: duration(
    'Life of a credential (minutes for workloads, an hour for people)',
    '10s',
    '24h',
  ),
  publish: list(permission('publish'), { min: 0, max: 100 }).describe(
    'Subjects that it may publish to; {{subject()}} stands for the user’s own public key.',
  ),
  subscribe: list(permission('subscribe'), { min: 0, max: 100 }).describe(
    'Subjects that it may hear; a last * is as wide as > on nats-server.',
  ),
  subscriptionsMax: whole(1, 10_000).describe('Subscriptions of one connection.'),
  payloadBytesMax: payloadBytesMax(1, 1_048_576),
})

// Of an nkey, as far as a pattern tells: it is compared, and never used.
const operatorKey = text(/^O[A-Z2-7]{55}$/, broken('illegal operator', 'the public key of one, O…'))

export const archipelagoSchema = z
  .strictObject({
    network: label('illegal network name').describe(
      'The name of the network, of its operator and of its files.',
    ),
    trustDomain,
    operator: operatorKey
      .optional()
      .describe('The public key of the operator: nobody else’s trust is brought to the clusters.'),
    regions: namedMap(regionName, region, { min: 1, max: 16 }).describe(
      'One NATS cluster each; together they are the supercluster.',
    ),
    ports: ports.describe('Where every server has an address of its own; all different.'),
    laptop: laptop.describe('Where the whole network runs on one machine.'),
    server: server.describe('Limits of every nats-server.'),
    lobby: lobby.describe('Where anyone may enter with the public credential; keep it small.'),
    leafnode: leafnode.describe('The link from a region’s functions to its servers.'),
    kubernetes: kubernetes
      .prefault({})
      .describe('Names inside of a region’s cluster, the same in every region.'),
    gitops: gitops.prefault({}).describe('The repository that the regions pull.'),
    identity: identity
      .prefault({})
      .describe('The certificates of servers, functions and workloads.'),
    accounts: namedMap(accountName, account, { min: 1, max: 64 }).describe(
      'The accounts that roles live in; SYS, LOBBY, ACCESS, LEGACY and ENROLL are built in.',
    ),
    issuers: namedMap(label('illegal issuer name'), issuerSchema, { min: 0, max: 64 })
      .default({})
      .describe('Whose tokens are exchanged for credentials.'),
    roles: namedMap(roleName, role, { min: 1, max: 64 }).describe(
      'Permission ceilings that the operator signs; doors say how one may come to them.',
    ),
  })
  .meta({ title: 'Archipelago', description: 'The one file that an operator edits.' })

export type ArchipelagoSource = z.output<typeof archipelagoSchema>
