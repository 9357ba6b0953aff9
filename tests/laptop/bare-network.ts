// A network to start in a temporary folder: trust made by NATS' own library, ports that nobody holds.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
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
import { doors } from '../../core/access/door.ts'
import { type Archipelago, parseArchipelago } from '../../core/archipelago.ts'
import { placeNetwork } from '../../core/network/endpoint.ts'
import type { NetworkTrust } from '../../core/network/server.ts'
import { writePrivateFile } from '../../laptop/files.ts'
import { authorityPaths, leafnodePaths } from '../../laptop/layout.ts'
import { listenersOf } from '../../laptop/listeners.ts'
import { refuseTakenPorts } from '../../laptop/ports.ts'
import type { SuperclusterOptions } from '../../laptop/supercluster.ts'
import { findTool } from '../../laptop/tools.ts'

/** A user as NATS' own library makes it. */
export interface BareUser {
  readonly jwt: string
  readonly key: KeyPair
}

export interface BareNetwork extends AsyncDisposable {
  readonly data: string
  readonly archipelago: Archipelago
  readonly options: SuperclusterOptions
  readonly observer: BareUser
  readonly pusher: BareUser
  readonly member: BareUser
  /** The key of every region's function. */
  readonly functionKey: KeyPair
  /** Signs accounts. */
  readonly operator: KeyPair
  readonly lobby: KeyPair
  connect(user: BareUser, servers: readonly string[]): Promise<NatsConnection>
}

export interface BareSize {
  readonly regions?: number
  readonly servers?: number
}

export async function makeBareNetwork(size: BareSize = {}): Promise<BareNetwork> {
  const data = mkdtempSync(join(tmpdir(), 'archipelago-'))
  const { archipelago, claim } = await onFreePorts(readArchipelago(size))
  const functionKey = createUser()
  const trust = await makeTrust()
  for (const { leafnode } of placeNetwork(archipelago, 'laptop')) {
    writePrivateFile(leafnodePaths(data, leafnode).credentials, trust.leafnodeCreds)
  }
  const dial = (user: BareUser, servers: readonly string[]) =>
    connectAs(user, servers, readFileSync(authorityPaths(data).certificate, 'utf8'))
  const options: SuperclusterOptions = {
    archipelago,
    data,
    natsServer: await findTool('nats-server', { report: () => {} }),
    trust: trust.network,
    access: { account: 'ACCESS', functions: functionsOf(archipelago, functionKey) },
    doors: ['lobby', 'invite'],
    observe: (servers) => dial(trust.observer, servers),
  }
  return {
    ...{ data, archipelago, options, functionKey, connect: dial, ...trust },
    [Symbol.asyncDispose]: async () => {
      await claim.disposeAsync()
      rmSync(data, { recursive: true, force: true })
    },
  }
}

/** Sends `jwt` and `sig` alone: with `nkey` beside them every reload of an account disconnects. */
export function connectAs({ jwt, key }: BareUser, servers: readonly string[], ca: string) {
  const authenticator = (nonce?: string): Auth => {
    const signature = key.sign(new TextEncoder().encode(nonce))
    return { jwt, sig: Buffer.from(signature).toString('base64url') } as Auth
  }
  return connect({ servers: [...servers], tls: { ca }, authenticator, reconnectTimeWait: 100 })
}

function readArchipelago({ regions = 3, servers = 3 }: BareSize): Archipelago {
  const file = join(import.meta.dirname, '../../archipelago.yaml')
  const archipelago = parseArchipelago(readFileSync(file, 'utf8'), file)
  const fewer = archipelago.regions.slice(0, regions).map((region) => ({ ...region, servers }))
  return { ...archipelago, regions: fewer }
}

/** Below the ports that the kernel gives to dialling programs. */
async function onFreePorts(archipelago: Archipelago) {
  for (;;) {
    const firstPort = 10_000 + 100 * Math.floor(Math.random() * 200)
    const placed = { ...archipelago, laptop: { ...archipelago.laptop, firstPort } }
    const claim = await claimPorts(placed)
    if (claim !== undefined) return { archipelago: placed, claim }
  }
}

/** Holds the last port of each region, which no process takes, so that other tests keep away from it. */
async function claimPorts(archipelago: Archipelago) {
  const { laptop, regions } = archipelago
  await using claim = new AsyncDisposableStack()
  try {
    for (const index of regions.keys()) {
      claim.use(await listen(laptop.firstPort + 100 * index + 99))
    }
    const places = placeNetwork(archipelago, 'laptop')
    await refuseTakenPorts(listenersOf(places, doors))
    return claim.move()
  } catch {
    return undefined
  }
}

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => resolve(server))
  })
}

function functionsOf({ regions }: Archipelago, key: KeyPair) {
  const user = {
    publicKey: key.getPublicKey(),
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
    ...{ network, operator: signing, lobby },
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

async function makeUser(name: string, account: KeyPair, permissions: object): Promise<BareUser> {
  const key = createUser()
  return { key, jwt: await encodeUser(name, key, account, permissions) }
}
