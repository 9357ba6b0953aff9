// A network to start in a temporary folder: trust made by NATS' own library, ports that nobody holds.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createAccount,
  createOperator,
  createUser,
  encodeAccount,
  encodeOperator,
  encodeUser,
  fmtCreds,
  type KeyPair,
} from '@nats-io/jwt'
import type { Auth, NatsConnection } from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import { type Archipelago, parseArchipelago } from '../../core/archipelago.ts'
import { placeNetwork } from '../../core/network/endpoint.ts'
import type { NetworkTrust } from '../../core/network/server.ts'
import { writePrivateFile } from '../../laptop/files.ts'
import { authorityPaths, leafnodePaths } from '../../laptop/layout.ts'
import { refuseTakenPorts } from '../../laptop/ports.ts'
import type { SuperclusterOptions } from '../../laptop/supercluster.ts'
import { findTool } from '../../laptop/tools.ts'

/** A user as NATS' own library makes it. */
export interface TestUser {
  readonly jwt: string
  readonly key: KeyPair
}

export interface TestNetwork extends Disposable {
  readonly data: string
  readonly archipelago: Archipelago
  readonly options: SuperclusterOptions
  readonly observer: TestUser
  readonly pusher: TestUser
  readonly member: TestUser
  readonly lobby: { readonly key: KeyPair; readonly jwt: string }
  readonly operator: KeyPair
  connect(user: TestUser, servers: readonly string[]): Promise<NatsConnection>
}

export async function makeTestNetwork(): Promise<TestNetwork> {
  const data = mkdtempSync(join(tmpdir(), 'archipelago-'))
  const archipelago = await onFreePorts(readArchipelago())
  const trust = await makeTrust()
  for (const { leafnode } of placeNetwork(archipelago, 'laptop')) {
    writePrivateFile(leafnodePaths(data, leafnode).credentials, trust.leafnodeCreds)
  }
  const dial = (user: TestUser, servers: readonly string[]) =>
    connectAs(user, servers, readFileSync(authorityPaths(data).certificate, 'utf8'))
  const options: SuperclusterOptions = {
    archipelago,
    data,
    natsServer: await findTool('nats-server', { report: () => {} }),
    trust: trust.network,
    access: { account: 'ACCESS', functions: functionsOf(archipelago) },
    doors: ['lobby', 'invite'],
    observe: (servers) => dial(trust.observer, servers),
  }
  return {
    ...{ data, archipelago, options, connect: dial, ...trust },
    [Symbol.dispose]: () => rmSync(data, { recursive: true, force: true }),
  }
}

/** Sends `jwt` and `sig` alone: with `nkey` beside them every reload of an account disconnects. */
export function connectAs({ jwt, key }: TestUser, servers: readonly string[], ca: string) {
  const authenticator = (nonce?: string): Auth => {
    const signature = key.sign(new TextEncoder().encode(nonce))
    return { jwt, sig: Buffer.from(signature).toString('base64url') } as Auth
  }
  return connect({ servers: [...servers], tls: { ca }, authenticator, reconnectTimeWait: 100 })
}

function readArchipelago(): Archipelago {
  const file = join(import.meta.dirname, '../../archipelago.yaml')
  return parseArchipelago(readFileSync(file, 'utf8'), file)
}

/** Below the ports that the kernel gives to dialling programs. */
async function onFreePorts(archipelago: Archipelago): Promise<Archipelago> {
  const firstPort = 10_000 + 100 * Math.floor(Math.random() * 200)
  const placed = { ...archipelago, laptop: { ...archipelago.laptop, firstPort } }
  const servers = placeNetwork(placed, 'laptop').flatMap((region) => region.servers)
  try {
    await refuseTakenPorts(servers.map(({ client }) => ({ endpoint: client, purpose: 'test' })))
    return placed
  } catch {
    return onFreePorts(archipelago)
  }
}

function functionsOf({ regions }: Archipelago) {
  const user = {
    publicKey: createUser().getPublicKey(),
    publish: ['_INBOX.>', '_R_.>'],
    subscribe: ['chat.req.>'],
  }
  return new Map(regions.map(({ name }) => [name, [user]]))
}

async function makeTrust() {
  const [operator, signing] = [createOperator(), createOperator()]
  const [sys, access, lobby] = [createAccount(), createAccount(), createAccount()]
  const [sysJwt, accessJwt, lobbyJwt] = await Promise.all([
    encodeAccount('SYS', sys, unlimited, { signer: signing }),
    encodeAccount('ACCESS', access, unlimited, { signer: signing }),
    encodeAccount('LOBBY', lobby, unlimited, { signer: signing }),
  ])
  const network: NetworkTrust = {
    operatorJwt: await encodeOperator('archipelago', operator, {
      signing_keys: [signing.getPublicKey()],
      system_account: sys.getPublicKey(),
    }),
    systemAccount: sys.getPublicKey(),
    accounts: [
      { publicKey: sys.getPublicKey(), jwt: sysJwt },
      { publicKey: access.getPublicKey(), jwt: accessJwt },
      { publicKey: lobby.getPublicKey(), jwt: lobbyJwt },
    ],
  }
  const [observer, pusher, member, leafnode] = await Promise.all([
    makeUser('observer', sys, {
      pub: { allow: ['$SYS.REQ.SERVER.PING.*', '$SYS.REQ.SERVER.*.CONNZ'] },
    }),
    makeUser('pusher', sys, {}),
    makeUser('member', lobby, {}),
    makeUser('leafnode', access, {}),
  ])
  return {
    ...{ network, operator: signing, lobby: { key: lobby, jwt: lobbyJwt } },
    leafnodeCreds: new TextDecoder().decode(fmtCreds(leafnode.jwt, leafnode.key)),
    ...{ observer, pusher, member },
  }
}

const unlimited = {
  limits: {
    conn: -1,
    leaf: -1,
    subs: -1,
    data: -1,
    payload: -1,
    imports: -1,
    exports: -1,
    wildcards: true,
  },
}

async function makeUser(name: string, account: KeyPair, permissions: object): Promise<TestUser> {
  const key = createUser()
  return { key, jwt: await encodeUser(name, key, account, permissions) }
}
