// Servers of two regions for workloads: an account whose users come by a role, and their certificates.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { Role } from '../core/archipelago.ts'
import { formatCertificates, type Certificate } from '../core/identity/certificate.ts'
import { issueLeaf, type Issuer } from '../core/identity/issue.ts'
import { parseSpiffeId } from '../core/identity/spiffe-id.ts'
import type { FunctionDoor } from '../core/network/access-subject.ts'
import { formatUrl, type RegionPlace } from '../core/network/endpoint.ts'
import type { ConnectionType, PermissionTemplate } from '../core/trust/account.ts'
import { roleCeiling } from '../core/trust/ceiling.ts'
import type { Creds } from '../core/trust/creds.ts'
import { encodeJwt } from '../core/trust/jwt.ts'
import { parseSeed, type NkeyPair } from '../core/trust/nkey.ts'
import { signUser, type UserJwt } from '../core/trust/user.ts'
import type { NetworkSource } from '../laptop/configurations.ts'
import { workloadTarget } from '../nats/workload-target.ts'
import { connectWithCreds, type NatsConnection } from '../nats/connect.ts'
import { formatPrivateKey } from '../store/authority-keys.ts'
import { readBundles } from '../store/bundles.ts'
import { openFiles } from '../store/files.ts'
import { homesOf } from '../store/homes.ts'
import { readIntermediate } from '../store/intermediate.ts'
import { makeNkeyPair } from '../store/key-file.ts'
import type { BareNetwork } from './laptop/bare-network.ts'

export interface Svid {
  readonly certificate: string
  readonly key: string
}

/** A leaf that lives from `nowMs` on for an hour, with its authority. */
export async function mintSvid(id: string, issuer: Issuer, nowMs = Date.now()): Promise<Svid> {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const profile = { id: parseSpiffeId(id), dns: [], ips: [] }
  const leaf: Certificate = await issueLeaf(pair.publicKey, profile, {
    ...{ issuer, commonName: 'exporter', nowMs, lifetimeSeconds: 3600, serial: randomBytes(16) },
  })
  const certificate = formatCertificates([leaf, issuer.certificate])
  return { certificate, key: formatPrivateKey(pair.privateKey) }
}

/** What signs identities of a region of this network. */
export function authorityOf(
  { data, archipelago }: Pick<BareNetwork, 'data' | 'archipelago'>,
  region: string,
): Issuer {
  const store = { files: openFiles(), homes: homesOf(data), archipelago, nowMs: Date.now() }
  const place = { region, kind: 'identity', placement: 'laptop' } as const
  const issuer = readIntermediate(store, place)
  if (issuer === undefined) throw new Error(`no authority of ${region}`)
  return issuer
}

const role: Role = {
  ...{
    name: 'exporter',
    account: 'WORK',
    doors: [],
    identity: [],
    outside: false,
    lifetimeSeconds: 600,
  },
  ...{ publish: ['metrics.>'], subscribe: ['metrics.>'] },
  ...{ subscriptionsMax: 8, payloadBytesMax: 65_536 },
}

export interface WorkAccount {
  /** The network's trust with one account more. */
  readonly trust: NetworkSource['trust']
  readonly publicKey: NkeyPair<'account'>['publicKey']
  /** By what connections its users may come. */
  readonly keys: Readonly<Record<'identity' | 'lobby' | 'any', NkeyPair<'account'>>>
}

export function makeWorkAccount({ options, operator }: BareNetwork): WorkAccount {
  const signer = parseSeed('operator', new TextDecoder().decode(operator.getSeed()))
  const { publicKey } = makeNkeyPair('account')
  const [identity, lobby, any] = [
    makeNkeyPair('account'),
    makeNkeyPair('account'),
    makeNkeyPair('account'),
  ]
  const ceiling = (door: string) => roleCeiling(role, door as FunctionDoor)
  const open = { ...ceiling('lobby'), allowed_connection_types: [] as ConnectionType[] }
  const scope = (key: NkeyPair<'account'>, template: PermissionTemplate) => ({
    ...{ kind: 'user_scope', key: key.publicKey, role: role.name, description: '', template },
  })
  const unlimited = {
    conn: -1,
    leaf: -1,
    subs: -1,
    data: -1,
    payload: -1,
    imports: -1,
    exports: -1,
  }
  const nats = {
    limits: { ...unlimited, wildcards: true, disallow_bearer: true },
    signing_keys: [
      scope(identity, ceiling('identity')),
      scope(lobby, ceiling('lobby')),
      scope(any, open),
    ],
    type: 'account',
    version: 2,
  }
  const jwt = encodeJwt({ iat: 1, sub: publicKey, name: 'WORK', nats }, signer).text
  const accounts = [...options.trust.accounts, { publicKey, jwt }]
  return { trust: { ...options.trust, accounts }, publicKey, keys: { identity, lobby, any } }
}

/** A user of one of the account's keys. */
export function mintUser(
  { publicKey: account, keys }: WorkAccount,
  key: keyof WorkAccount['keys'],
): Creds {
  const pair = makeNkeyPair('user')
  const iat = Math.floor(Date.now() / 1000)
  const life = { issuedAtSeconds: iat, expiresAtSeconds: iat + 600 }
  const user: UserJwt = signUser(keys[key], {
    ...{ publicKey: pair.publicKey, name: 'exporter', account, ...life },
  })
  return { user, pair }
}

export const workloadUrls = (regions: readonly RegionPlace[]): string[] =>
  regions.flatMap(({ servers }) => servers.map(({ workload }) => formatUrl(workload, 'wss')))

export function connectWorkload(
  { data }: Pick<BareNetwork, 'data'>,
  { servers, svid, creds }: { servers: readonly string[]; svid: Svid; creds: Creds },
): Promise<NatsConnection> {
  const bundles = readBundles(openFiles(), homesOf(data))
  const target = workloadTarget({ ...svid, bundles }, { servers, name: 'exporter' })
  return connectWithCreds(target, () => creds)
}
