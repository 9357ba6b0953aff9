// The steps of a rotation. Each may be done again; the journal is written after each.
import { setTimeout as delay } from 'node:timers/promises'
import { Refusal } from '../../core/errors.ts'
import { expectedServers } from '../../core/network/expected.ts'
import type { Nkey } from '../../core/trust/nkey.ts'
import type { NatsConnection } from '../../nats/connect.ts'
import { pushAccounts, type AccountPush } from '../../nats/push-accounts.ts'
import { openFiles } from '../../store/files.ts'
import { renewLeafnodeCredential, renewerPlace } from '../../store/leafnode.ts'
import { readPublicTrust } from '../../store/public.ts'
import { publishRegion } from '../../store/publish-region.ts'
import {
  currentKey,
  dropOldKey,
  endRotation,
  makeNextKey,
  stepAfter,
  switchKey,
  writeRotation,
  type Rotation,
  type RotationStep,
} from '../../store/rotation.ts'
import { nowSeconds, type Place } from '../command.ts'
import { awaitLeafnode } from './await-leafnode.ts'
import { awaitSwitched } from './await-switched.ts'
import { drainOldKeys } from './drain-old-keys.ts'

export interface RotationContext {
  readonly place: Place
  /** Connected where the operator's home is here: who pushes, and sees the connections. */
  readonly pusher?: NatsConnection
  /** Connected as well there: who asks the functions. */
  readonly access?: NatsConnection
  readonly report: (line: string) => void
  /** After it the old keys are removed although somebody still uses them. */
  readonly drainDeadlineMs?: number
}

/** Goes through all steps that are left; what it refuses, it goes on with when it is run again. */
export async function rotateKeys(rotation: Rotation, context: RotationContext): Promise<void> {
  const { homes } = context.place
  let now = rotation
  while (now.step !== 'done') {
    const { step } = now
    const { line, ...changed } = await acts[step](now, context)
    now = { ...now, ...changed, step: stepAfter(step) }
    if (now.step === 'done') endRotation(homes, now.region)
    else writeRotation(homes, now)
    context.report(line)
  }
}

/** Returns what is to be said when the journal has it. */
type Act = (
  rotation: Rotation,
  context: RotationContext,
) => Promise<{ readonly line: string; readonly switchedAtMs?: number }>

const acts: Record<RotationStep, Act> = {
  async make({ keys }) {
    for (const key of keys) makeNextKey(key)
    return { line: `made the next keys of ${keys.map(({ scope }) => scope).join(', ')}` }
  },
  async publish({ region }, context) {
    await publish(region, context)
    return { line: 'every server takes the next keys' }
  },
  async switch(rotation, context) {
    for (const key of rotation.keys) switchKey(key)
    renewLeafnode(rotation, context)
    await awaitSwitched(rotation, context)
    const who = context.access ? 'every function signs' : 'the function that was asked signs'
    return { line: `${who} with the next keys`, switchedAtMs: Date.now() }
  },
  async drain(rotation, context) {
    await drainOldKeys(rotation, context)
    return { line: 'the old keys are not needed any more' }
  },
  async remove({ region, keys }, context) {
    for (const key of keys) dropOldKey(key)
    await publish(region, context)
    if (hasLeafnode(keys)) await awaitLeafnode(region, context)
    const lines = keys.map((key) => `${key.scope}: ${currentKey(key)} in place of ${key.old}`)
    return { line: lines.join('\n') }
  },
}

const pushDeadlineMs = 30_000
const pauseMs = 250

/** The declarative state first, then all servers: a key is used when every server knows of it. */
async function publish(region: string, context: RotationContext): Promise<void> {
  const { report } = context
  const deadline = Date.now() + pushDeadlineMs
  for (let shown = ''; ;) {
    const missing = (await tryPublish(region, context)).join(', ')
    if (missing === '') return
    if (missing !== shown) report(`waiting for ${missing}`)
    shown = missing
    if (Date.now() > deadline)
      throw new Refusal('ERR_NOT_PUSHED', `not taken by every server: ${missing}`)
    await delay(pauseMs)
  }
}

/** What is not done yet; somebody else's change may have come between the signing and the push. */
async function tryPublish(
  region: string,
  { place: { homes, archipelago }, pusher }: RotationContext,
): Promise<string[]> {
  const options = { files: openFiles(), homes, archipelago, nowSeconds: nowSeconds() }
  const accounts = publishRegion(options, region).map(({ text }) => text)
  if (pusher === undefined) return []
  const { operator } = readPublicTrust(homes.public, [])
  const push = { operator, accounts, expectedServers: expectedServers(archipelago) }
  try {
    return notDone(await pushAccounts(pusher, push))
  } catch (error) {
    if (error instanceof Refusal && error.code === 'ERR_ACCOUNT_OLDER') return [error.message]
    throw error
  }
}

function notDone(pushes: readonly AccountPush[]): string[] {
  return pushes
    .filter(({ isDone }) => !isDone)
    .flatMap(({ account, servers, strangers }) => [
      ...servers
        .filter(({ state }) => state !== 'updated' && state !== 'not-loaded')
        .map(({ server, state }) => `${account} ${state} on ${server}`),
      ...strangers.map((stranger) => `stranger ${stranger}`),
    ])
}

/** The file is there before the servers refuse the old one: the leafnode reads it when it comes back. */
function renewLeafnode(
  { region, keys }: Rotation,
  { place: { homes, archipelago } }: RotationContext,
) {
  if (!hasLeafnode(keys)) return
  const access = readPublicTrust(homes.public, ['ACCESS']).accounts[0]
  const account = access?.claims.sub as Nkey<'account'>
  const { lifetimeSeconds } = archipelago.leafnode
  const renewal = { region, account, lifetimeSeconds }
  const place = { files: openFiles(), ...renewerPlace(homes, region) }
  renewLeafnodeCredential(place, renewal, nowSeconds())
}

const hasLeafnode = (keys: Rotation['keys']) => keys.some(({ role }) => role === undefined)
