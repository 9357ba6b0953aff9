// What must not be possible is tried, each time with a genuine credential.
import type { Network } from '../../core/access/network-file.ts'
import { parseCreds } from '../../core/trust/creds.ts'
import { connectWithCreds, connectWithNkey, type NatsConnection } from '../../nats/connect.ts'
import { mayPublish, maySubscribe } from '../../nats/permission.ts'
import { readOrRefuse } from '../../store/files.ts'
import { makeNkeyPair } from '../../store/key-file.ts'
import { leafnodeCredsFile } from '../../store/leafnode.ts'
import { leafnodeTarget } from '../identity/leafnode-target.ts'
import type { RunningNetwork } from '../network.ts'
import { requestFrom } from './credentials.ts'
import { prove, refusedWith, type Proof } from './proof.ts'

/** All of them, side by side. */
export function proveRefusals(
  running: RunningNetwork,
  { network, member }: { network: Network; member: NatsConnection },
): Promise<Proof[]> {
  const lobby = connectLobby(network)
  const trials = [
    proveLobbySubscribe(lobby),
    proveLobbyPublish(lobby),
    ...provePrivateRole(running, network),
    proveForeignMessages(member),
    proveMemberPushes(member),
    proveLeafnodeAsClient(running, network),
    proveLeafnodeServer(running),
    proveObserverReloads(running),
  ]
  const close = async (): Promise<void> => (await lobby).close()
  return Promise.all(trials).finally(() => void close())
}

function connectLobby({ file, lobby }: Network): Promise<NatsConnection> {
  const servers = file.regions.flatMap((region) => region.servers)
  // The lobby may hear `_INBOX.>`, and answers to its own requests come there.
  return connectWithCreds({ servers, ca: file.ca, name: 'prover in the lobby' }, () => lobby)
}

function proveLobbySubscribe(lobby: Promise<NatsConnection>): Promise<Proof> {
  return prove('the lobby may not listen to the chat', async () =>
    forbidden(await maySubscribe(await lobby, 'chat.KUBECON.>'), 'subscription'),
  )
}

function proveLobbyPublish(lobby: Promise<NatsConnection>): Promise<Proof> {
  return prove('the lobby may not speak in the chat', async () =>
    forbidden(await mayPublish(await lobby, 'chat.KUBECON.online'), 'message'),
  )
}

function provePrivateRole({ archipelago }: RunningNetwork, network: Network): Promise<Proof>[] {
  const role = archipelago.roles.find(({ doors }) => !doors.includes('lobby'))
  const region = archipelago.regions[0]?.name ?? ''
  if (role === undefined) return []
  const asked = (): Promise<unknown> =>
    requestFrom(network, { role: role.name, name: 'mallory', region })
  return [prove(`the lobby gets no ${role.name}`, () => refusedWith('ERR_ROLE_DOOR', asked))]
}

function proveForeignMessages(member: NatsConnection): Promise<Proof> {
  return prove("a member may not read another's direct messages", async () => {
    const somebody = makeNkeyPair('user').publicKey
    return forbidden(await maySubscribe(member, `chat.KUBECON.dms.${somebody}`), 'subscription')
  })
}

function proveMemberPushes(member: NatsConnection): Promise<Proof> {
  return prove('a member may not push accounts', async () =>
    forbidden(await mayPublish(member, '$SYS.REQ.CLAIMS.UPDATE'), 'message'),
  )
}

function proveLeafnodeAsClient(
  { homes, archipelago }: RunningNetwork,
  { file }: Network,
): Promise<Proof> {
  return prove('a leafnode credential is refused as a client', () => {
    const region = archipelago.regions[0]?.name ?? ''
    const creds = parseCreds(readOrRefuse(leafnodeCredsFile(homes, region), 'leafnode credential'))
    const servers = file.regions.find(({ name }) => name === region)?.servers ?? []
    return refusedWith('ERR_CONNECT', () =>
      connectOnce(() =>
        connectWithCreds({ servers, ca: file.ca, name: 'prover', ...once }, () => creds),
      ),
    )
  })
}

function proveLeafnodeServer(running: RunningNetwork): Promise<Proof> {
  return prove('a local process without the key is refused by a leafnode server', () => {
    const target = functionTarget(running)
    return refusedWith('ERR_CONNECT', () =>
      connectOnce(() =>
        connectWithNkey({ ...target, name: 'prover', ...once }, makeNkeyPair('user')),
      ),
    )
  })
}

/** As a function dials, with a certificate of its region. */
function functionTarget({ supercluster, archipelago, homes }: RunningNetwork) {
  const region = supercluster.regions.find(({ doors }) => doors.length > 0)
  const place = region?.doors[0]
  if (region === undefined || place === undefined) throw new Error('no region')
  return leafnodeTarget({ archipelago, homes, region, place })
}

function proveObserverReloads(running: RunningNetwork): Promise<Proof> {
  return prove('the observer may not reload a server', async () => {
    const observer = await running.connectAs('observer')
    const id = observer.info?.server_id ?? ''
    const may = await mayPublish(observer, `$SYS.REQ.SERVER.${id}.RELOAD`)
    await observer.close()
    return forbidden(may, 'message')
  })
}

const once = { options: { reconnect: false, maxReconnectAttempts: 0 } }

async function connectOnce(dial: () => Promise<NatsConnection>): Promise<void> {
  await (await dial()).close()
}

function forbidden(isAllowed: boolean, what: string): Omit<Proof, 'what'> {
  const observed = isAllowed ? `${what} was allowed` : `Permissions Violation for the ${what}`
  return { observed, isProven: !isAllowed }
}
