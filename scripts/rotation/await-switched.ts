// Whether a function signs with its new key is seen by asking it for a credential, as anybody would.
import { setTimeout as delay } from 'node:timers/promises'
import type { Network } from '../../core/access/network-file.ts'
import { Refusal } from '../../core/errors.ts'
import { requestCredential } from '../../requestor/request-credential.ts'
import { openFiles } from '../../store/files.ts'
import { issueInvite } from '../../store/invite.ts'
import { makeNkeyPair } from '../../store/key-file.ts'
import { readOperatorHome } from '../../store/operator.ts'
import { currentKey, type RotatingKey, type Rotation } from '../../store/rotation.ts'
import { nowSeconds } from '../command.ts'
import { readNetwork } from '../operator-connection.ts'
import type { RotationContext } from './rotate-keys.ts'

const deadlineMs = 30_000
const pauseMs = 200
const askMs = 2_000
const name = 'rotation'

/** Refuses when a function does not answer, or signs with the old key after the deadline. */
export async function awaitSwitched(rotation: Rotation, context: RotationContext): Promise<void> {
  await Promise.all(rotation.keys.map((key) => awaitKey(key, rotation.region, context)))
}

async function awaitKey(key: RotatingKey, region: string, context: RotationContext): Promise<void> {
  const deadline = Date.now() + deadlineMs
  for (;;) {
    const seen = await askIssuer(key, region, context)
    if (seen === undefined || seen === currentKey(key)) return
    if (Date.now() > deadline) {
      const reason = seen instanceof Error ? seen.message : `it signs with ${seen}`
      throw new Refusal(
        'ERR_DEADLINE',
        `${key.scope} is not switched in ${deadlineMs} ms: ${reason}`,
      )
    }
    await delay(pauseMs)
  }
}

/** The key that signs now, why that is not to be seen, or undefined at a door that has no way to ask. */
async function askIssuer(
  { role, door }: RotatingKey,
  region: string,
  { place, pusher }: RotationContext,
): Promise<string | Error | undefined> {
  if (role === undefined || door === undefined || door === 'legacy') return undefined
  if (door === 'invite' && pusher === undefined) return undefined
  const network = onlyRegion(readNetwork(place), region)
  const request = { network, role, name, pair: makeNkeyPair('user'), deadlineMs: askMs }
  try {
    const invite = door === 'invite' ? { invite: inviteTo(role, place) } : {}
    const { creds } = await requestCredential({ ...request, ...invite, transport: 'https' })
    return creds.user.claims.iss
  } catch (error) {
    return error as Error
  }
}

function onlyRegion(network: Network, region: string): Network {
  const regions = network.file.regions.filter(({ name }) => name === region)
  return { ...network, file: { ...network.file, regions } }
}

function inviteTo(role: string, { homes, archipelago }: RotationContext['place']) {
  const home = readOperatorHome({ files: openFiles(), homes, archipelago })
  const life = { nowSeconds: nowSeconds(), lifetimeSeconds: deadlineMs / 1000 }
  const { ticket, key } = issueInvite(home, archipelago, { role, name, ...life })
  return { ticket: ticket.text, key }
}
