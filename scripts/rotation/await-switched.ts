// Whether functions sign with their new keys. At the operator's every replica says so itself; in a
// region without him the lobby is asked for a credential, as by anybody, and one replica answers.
import { setTimeout as delay } from 'node:timers/promises'
import type { Network } from '../../core/access/network-file.ts'
import { Refusal } from '../../core/errors.ts'
import type { NatsConnection } from '../../nats/connect.ts'
import { askFunctionStates, type FunctionState } from '../../nats/function-states.ts'
import { requestCredential } from '../../requestor/request-credential.ts'
import { makeNkeyPair } from '../../store/key-file.ts'
import { currentKey, type RotatingKey, type Rotation } from '../../store/rotation.ts'
import { readNetwork } from '../operator-session.ts'
import type { RotationContext } from './rotate-keys.ts'

const pauseMs = 200
const stallMs = 500
const askMs = 2_000
const name = 'rotation'

/** Refuses after the deadline by naming each replica that signs with another key, and silent doors. */
export async function awaitSwitched(
  rotation: Rotation,
  { place, access }: Pick<RotationContext, 'place' | 'access'>,
  { deadlineMs = 30_000 } = {},
): Promise<void> {
  const keys = rotation.keys.filter(({ role }) => role !== undefined)
  if (keys.length === 0) return
  const { region } = rotation
  const look =
    access === undefined
      ? () => askLobby(keys, () => onlyRegion(readNetwork(place), region))
      : () => askReplicas(keys, { region, access })
  for (const deadline = Date.now() + deadlineMs; ;) {
    const behind = await look()
    if (behind.length === 0) return
    if (Date.now() > deadline) {
      const rule = `not every function has switched in ${deadlineMs} ms`
      throw new Refusal('ERR_DEADLINE', `${rule}: ${behind.join('; ')}`)
    }
    await delay(pauseMs)
  }
}

async function askReplicas(
  keys: readonly RotatingKey[],
  { region, access }: { region: string; access: NatsConnection },
): Promise<string[]> {
  const all = await askFunctionStates(access, { stallMs })
  const states = all.filter((state) => state.region === region)
  return keys.flatMap((key) => {
    const replicas = states.filter(({ door }) => door === key.door)
    if (replicas.length === 0) return [`${key.scope}: no function answers`]
    return replicas.flatMap((replica) => describeBehind(key, replica))
  })
}

function describeBehind(
  key: RotatingKey,
  { nkey, replica = nkey, signers = {} }: FunctionState,
): string[] {
  const signer = signers[key.role ?? '']
  if (signer === currentKey(key)) return []
  return [`${key.scope}: ${replica} signs with ${signer ?? 'a key that it does not name'}`]
}

async function askLobby(keys: readonly RotatingKey[], network: () => Network): Promise<string[]> {
  const asked = keys.flatMap(({ role, door, ...key }) =>
    role !== undefined && door === 'lobby' ? [{ ...key, role }] : [],
  )
  const answers = asked.map(async (key): Promise<string[]> => {
    const request = { network: network(), role: key.role, name, pair: makeNkeyPair('user') }
    try {
      const { creds } = await requestCredential({
        ...{ ...request, deadlineMs: askMs, transport: 'https' },
      })
      const signer = creds.user.claims.iss
      return signer === currentKey(key) ? [] : [`${key.scope}: it signs with ${signer}`]
    } catch (error) {
      return [`${key.scope}: ${(error as Error).message}`]
    }
  })
  return (await Promise.all(answers)).flat()
}

function onlyRegion(network: Network, region: string): Network {
  const regions = network.file.regions.filter(({ name }) => name === region)
  return { ...network, file: { ...network.file, regions } }
}
