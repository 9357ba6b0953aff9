// The steps of a rotation. Each may be done again; the journal is written after each.
import { setTimeout as delay } from 'node:timers/promises'
import { Refusal } from '../../core/errors.ts'
import { expectedServers } from '../../core/network/expected.ts'
import type { Nkey } from '../../core/trust/nkey.ts'
import type { NatsConnection } from '../../nats/connect.ts'
import { pushAccounts, type AccountPush } from '../../nats/push-accounts.ts'
import { openFiles } from '../../store/files.ts'
import { renewLeafnodeCredential } from '../../store/leafnode.ts'
import { readPublicTrust } from '../../store/public.ts'
import { publishRegion } from '../../store/publish-region.ts'
import {
  currentKey,
  dropOldKey,
  endRotation,
  makeNextKey,
  rotationSteps,
  switchKey,
  writeRotation,
  type Rotation,
  type RotationStep,
} from '../../store/rotation.ts'
import { nowSeconds, type Place } from '../command.ts'
import { awaitSwitched } from './await-switched.ts'
import { drainOldKeys } from './drain-old-keys.ts'

export interface RotationContext {
  readonly place: Place
  /** Connected where the operator's home is here: who pushes, and sees the connections. */
  readonly pusher?: NatsConnection
  readonly report: (line: string) => void
  /** After it the old keys are removed although somebody still uses them. */
  readonly drainDeadlineMs?: number
}

/** Goes through all steps that are left; what it refuses, it goes on with when it is run again. */
export async function rotateKeys(rotation: Rotation, context: RotationContext): Promise<void> {
  const { homes } = context.place
  let now = rotation
  for (const step of rotationSteps.slice(rotationSteps.indexOf(rotation.step))) {
    now = { ...now, step }
    writeRotation(homes, now)
    now = (await acts[step](now, context)) ?? now
  }
  endRotation(homes, rotation.region)
}

type Act = (rotation: Rotation, context: RotationContext) => Promise<Rotation | void>

const acts: Record<RotationStep, Act> = {
  async make({ keys }, { report }) {
    for (const key of keys) makeNextKey(key)
    report(`made the next keys of ${keys.map(({ scope }) => scope).join(', ')}`)
  },
  async publish({ region }, context) {
    await publish(region, context)
    context.report('every server takes the next keys')
  },
  async switch(rotation, context) {
    for (const key of rotation.keys) switchKey(key)
    renewLeafnode(rotation, context)
    await awaitSwitched(rotation, context)
    context.report('every function signs with the next keys')
    return { ...rotation, switchedAtMs: Date.now() }
  },
  async drain(rotation, context) {
    await drainOldKeys(rotation, context)
  },
  async remove({ region, keys }, context) {
    for (const key of keys) dropOldKey(key)
    await publish(region, context)
    for (const key of keys) context.report(`${key.scope}: ${currentKey(key)} for ${key.old}`)
  },
}

const pushDeadlineMs = 30_000
const pauseMs = 250

/** The declarative state first, then all servers; the network is not let go on with half of them. */
async function publish(region: string, { place, pusher, report }: RotationContext): Promise<void> {
  const { homes, archipelago } = place
  const options = { files: openFiles(), homes, archipelago, nowSeconds: nowSeconds() }
  const accounts = publishRegion(options, region).map(({ text }) => text)
  if (pusher === undefined) return
  const { operator } = readPublicTrust(homes.public, [])
  const push = { operator, accounts, expectedServers: expectedServers(archipelago) }
  const deadline = Date.now() + pushDeadlineMs
  for (;;) {
    const pushes = await pushAccounts(pusher, push)
    const missing = notDone(pushes)
    if (missing.length === 0) return
    report(`waiting for ${missing.join(', ')}`)
    if (Date.now() > deadline)
      throw new Refusal('ERR_NOT_PUSHED', `not taken by every server: ${missing.join(', ')}`)
    await delay(pauseMs)
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
  if (!keys.some(({ role }) => role === undefined)) return
  const access = readPublicTrust(homes.public, ['ACCESS']).accounts[0]
  const account = access?.claims.sub as Nkey<'account'>
  const { lifetimeSeconds } = archipelago.leafnode
  const renewal = { region, account, lifetimeSeconds }
  renewLeafnodeCredential({ files: openFiles(), homes }, renewal, nowSeconds())
}
