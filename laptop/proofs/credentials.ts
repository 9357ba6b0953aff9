// Requests: answered in the region that they come from, and by another one when its function hangs.
import type { Network } from '../../core/access/network-file.ts'
import { requestCredential, type Credential } from '../../requestor/request-credential.ts'
import { makeNkeyPair } from '../../store/key-file.ts'
import type { RunningNetwork } from '../network.ts'
import { prove, type Proof } from './proof.ts'

/** The role that anyone may have, if there is one. */
export function publicRole({
  archipelago,
}: Pick<RunningNetwork, 'archipelago'>): string | undefined {
  return archipelago.roles.find(({ doors }) => doors.includes('lobby'))?.name
}

export function requestFrom(
  network: Network,
  { role, name, region }: { role: string; name: string; region: string },
): Promise<Credential> {
  return requestCredential({
    network,
    role,
    name,
    region,
    pair: makeNkeyPair('user'),
    transport: 'nats',
  })
}

export function proveOwnFunction(network: Network, role: string, region: string): Promise<Proof> {
  return prove(`${region}: a request is answered by its own function`, async () => {
    const credential = await requestFrom(network, { role, name: 'prover', region })
    const { creds, tookMs } = credential
    const lifeSeconds = (creds.user.claims.exp ?? 0) - creds.user.claims.iat
    return {
      observed: `${credential.region} issued ${role} for ${lifeSeconds} s`,
      isProven: credential.region === region,
      tookMs,
    }
  })
}

/** Stops the region's function as a debugger would, for one request. */
export async function proveHungFunction(
  running: RunningNetwork,
  { network, role, region }: { network: Network; role: string; region: string },
): Promise<Proof> {
  const name = `${region}-lobby`
  running.functions.signal(name, 'SIGSTOP')
  try {
    return await prove(`${region}: with its function hung, another region answers`, async () => {
      const credential = await requestFrom(network, { role, name: 'prover', region })
      return {
        observed: `${credential.region} answered`,
        isProven: credential.region !== region,
        tookMs: credential.tookMs,
      }
    })
  } finally {
    running.functions.signal(name, 'SIGCONT')
  }
}
